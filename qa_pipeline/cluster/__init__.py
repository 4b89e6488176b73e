"""Recognition on a Ray cluster: the second implementation of ``hearing.Recogniser``. ``Cluster`` is the only door."""

from __future__ import annotations

from qa_pipeline.cluster.recogniser import Cluster

__all__ = ["Cluster"]
