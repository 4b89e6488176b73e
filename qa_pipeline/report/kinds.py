"""The reports there are: one literal table. A new report is one module and one line here. Imports nothing heavy: the CLI reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportKind:
    """``module`` has a function ``build(reading) -> Report``; ``span`` is the period when none is given."""

    module: str
    span: str  # day | week | month | all
    help: str


REPORTS: Mapping[str, ReportKind] = {
    "daily": ReportKind(module="daily", span="day", help="质检日报：抽查、得分、发现、录音编号、每位质检员听了多少。"),
    "weekly": ReportKind(
        module="weekly", span="week", help="质检周报（报甲方）：拨打、接通率、有效率、投诉与结果、用户反映、问题、培训建议。"
    ),
    "monthly": ReportKind(module="monthly", span="month", help="月度扣罚：每人汇总与逐笔明细，与台账核对。"),
    "agent": ReportKind(module="agent", span="month", help="个人评分表；用 --agent 指定工号。"),
    "team": ReportKind(module="team", span="month", help="团队对比，比率带 95% 区间。"),
    "clause": ReportKind(module="clause", span="month", help="条款分布与每周走势。"),
    "sample": ReportKind(module="sample", span="month", help="抽查执行情况与重点复查名单。"),
    "appeals": ReportKind(module="appeals", span="month", help="申诉：受理、结果、每条条款被撤销的比例。"),
    "followup": ReportKind(module="followup", span="all", help="回访与二次确认清单。"),
    "script": ReportKind(module="script", span="month", help="话术遵循：走过的路径、漏掉的步骤、错误跳转、覆盖率。"),
    "settlement": ReportKind(
        module="settlement", span="month", help="结算表：包月分成、问卷、话费增长，扣回无效成交、投诉与差错；要 --users 清单。"
    ),
    "kpi": ReportKind(module="kpi", span="month", help="运营指标：先用 qa kpi import 导入通话记录。"),
}

FORMS: Mapping[str, str] = {"html": "html_form", "xlsx": "excel", "md": "markdown", "json": "json_form"}
