"""What an error is on a page: its status, and its words without anything of the program or of this machine."""

from __future__ import annotations

from qa_pipeline.errors import ConflictError, QaError, StoreError, StoreLockedError, UserError
from qa_pipeline.web.guard import Refused

_BUSY = "数据库正忙，等了很久也没有轮到，您的操作没有保存。请稍后再试一次。"
_BROKEN = "数据库现在读不出或写不进，您的操作没有保存。请把时间和操作告诉管理员。"


def status_of(error: Exception) -> int:
    if isinstance(error, Refused):
        return error.status
    if isinstance(error, ConflictError):
        return 409
    if isinstance(error, StoreLockedError):
        return 503
    return 422 if isinstance(error, UserError) else 500


def page_words(error: QaError) -> str:
    """The sentence. Trouble with the store names files of the server: that is for its log and for the command line."""
    if isinstance(error, StoreLockedError):
        return _BUSY
    return _BROKEN if isinstance(error, StoreError) else str(error)
