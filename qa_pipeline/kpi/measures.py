"""Every measure: one sum or count over one table of logs. ``needs`` names the columns without which it cannot be told."""

from __future__ import annotations

from collections.abc import Mapping

from qa_pipeline.kpi.figures import Measure

_CONNECTED = "(talk_s > 0 OR (talk_s IS NULL AND result IN ('sold', 'completed', 'refused', 'callback', 'answered')))"
_OUT, _IN = "NOT inbound", "inbound"
_HANDLED = f"{_CONNECTED}"

MEASURES: Mapping[str, Measure] = {
    # 数据源
    "accounts": Measure(title="客户数据总量", table="accounts", sql="count(*)", needs=("accounts.account",)),
    "accounts_bad": Measure(title="无效数据总量", table="accounts", sql="count(*) FILTER (NOT valid)", needs=("accounts.valid",)),
    "accounts_good": Measure(title="有效数据量", table="accounts", sql="count(*) FILTER (valid)", needs=("accounts.valid",)),
    # 进度与效果
    "called": Measure(title="外拨客户量", table="reached", sql="count(*)", needs=("account|number",), additive=False),
    "dialled": Measure(title="外拨次数", table="calls", sql=f"count(*) FILTER ({_OUT})"),
    "connected": Measure(title="接通", table="calls", sql=f"count(*) FILTER ({_OUT} AND {_CONNECTED})", needs=("talk_s|result",)),
    "reached": Measure(
        title="成功联系量", table="reached", sql="count(*) FILTER (reached)", needs=("account|number", "result"), additive=False
    ),
    "unreached": Measure(
        title="未能联系量",
        table="reached",
        sql="count(*) FILTER (NOT reached AND again)",
        needs=("account|number", "result"),
        additive=False,
    ),
    "missed": Measure(
        title="非成功联系数据",
        table="reached",
        sql="count(*) FILTER (NOT reached)",
        needs=("account|number", "result"),
        additive=False,
    ),
    "missed_calls": Measure(
        title="非成功联系数据的外拨次数",
        table="reached",
        sql="sum(attempts) FILTER (NOT reached)",
        needs=("account|number", "result"),
        additive=False,
    ),
    "completed": Measure(
        title="外呼成功量", table="reached", sql="count(*) FILTER (completed)", needs=("account|number", "result"), additive=False
    ),
    "sold": Measure(
        title="在线成功量", table="reached", sql="count(*) FILTER (sold)", needs=("account|number", "result"), additive=False
    ),
    "completed_calls": Measure(
        title="外呼成功通话", table="calls", sql=f"count(*) FILTER ({_OUT} AND result IN ('sold', 'completed'))", needs=("result",)
    ),
    "sold_calls": Measure(title="成交通话", table="calls", sql=f"count(*) FILTER ({_OUT} AND result = 'sold')", needs=("result",)),
    "refused_calls": Measure(
        title="拒绝", table="calls", sql=f"count(*) FILTER ({_OUT} AND result = 'refused')", needs=("result",)
    ),
    "callback_calls": Measure(
        title="预约", table="calls", sql=f"count(*) FILTER ({_OUT} AND result = 'callback')", needs=("result",)
    ),
    "wrong_calls": Measure(
        title="错误数据", table="calls", sql=f"count(*) FILTER ({_OUT} AND result = 'invalid')", needs=("result",)
    ),
    # 外呼规则
    "over_tried": Measure(
        title="联系超过三次的客户", table="reached", sql="count(*) FILTER (attempts > 3)", needs=("account|number",), additive=False
    ),
    "redials": Measure(title="重拨", table="calls", sql="count(gap_h)", needs=("account|number", "result")),
    "redials_right": Measure(
        title="间隔 2–36 小时的重拨",
        table="calls",
        sql="count(*) FILTER (gap_h BETWEEN 2 AND 36)",
        needs=("account|number", "result"),
    ),
    # 通话时间
    "handled": Measure(title="接通通话", table="calls", sql=f"count(*) FILTER ({_HANDLED})", needs=("talk_s|result",)),
    "talk": Measure(title="通话时长", table="calls", sql=f"sum(talk_s) FILTER ({_HANDLED})", needs=("talk_s",), unit="seconds"),
    "talks": Measure(title="有时长的通话", table="calls", sql=f"count(talk_s) FILTER ({_HANDLED})", needs=("talk_s",)),
    "acw": Measure(title="后处理时长", table="calls", sql=f"sum(acw_s) FILTER ({_HANDLED})", needs=("acw_s",), unit="seconds"),
    "acws": Measure(title="有后处理的通话", table="calls", sql=f"count(acw_s) FILTER ({_HANDLED})", needs=("acw_s",)),
    "handle": Measure(
        title="处理时长",
        table="calls",
        sql=f"sum(coalesce(prep_s, 0) + talk_s + coalesce(acw_s, 0)) FILTER ({_OUT} AND talk_s IS NOT NULL)",
        needs=("talk_s", "acw_s"),
        unit="seconds",
    ),
    "handles": Measure(
        title="有时长的外呼", table="calls", sql=f"count(*) FILTER ({_OUT} AND talk_s IS NOT NULL)", needs=("talk_s", "acw_s")
    ),
    "busy_s": Measure(
        title="通话与后处理时长",
        table="calls",
        sql=f"sum(talk_s + acw_s) FILTER ({_HANDLED})",
        needs=("talk_s", "acw_s"),
        unit="seconds",
    ),
    "busy_n": Measure(
        title="两项时长都有的通话", table="calls", sql=f"count(talk_s + acw_s) FILTER ({_HANDLED})", needs=("talk_s", "acw_s")
    ),
    "hold": Measure(title="持线时长", table="calls", sql="sum(hold_s) FILTER (hold_s > 0)", needs=("hold_s",), unit="seconds"),
    "holds": Measure(title="有持线的通话", table="calls", sql="count(*) FILTER (hold_s > 0)", needs=("hold_s",)),
    "line_s": Measure(
        title="通话与持线时长",
        table="calls",
        sql=f"sum(talk_s + coalesce(hold_s, 0)) FILTER ({_HANDLED})",
        needs=("talk_s",),
        unit="seconds",
    ),
    "line_ring": Measure(
        title="通话加振铃", table="agent_days", sql="sum(busy_s)", needs=("agent_id", "talk_s", "ring_s"), unit="seconds"
    ),
    "agent_days": Measure(title="人天", table="agent_days", sql="count(*)", needs=("agent_id",)),
    "agent_days_full": Measure(
        title="满 290 分钟的人天",
        table="agent_days",
        sql="count(*) FILTER (busy_s >= 290 * 60)",
        needs=("agent_id", "talk_s", "ring_s"),
    ),
    "agent_calls": Measure(title="人天外拨次数", table="agent_days", sql="sum(dialled)", needs=("agent_id",)),
    # 呼入
    "offered": Measure(title="总呼叫数", table="calls", sql=f"count(*) FILTER ({_IN})", needs=("direction",)),
    "arrived": Measure(
        title="进入中心的来电",
        table="calls",
        sql=f"count(*) FILTER ({_IN} AND coalesce(result, '') NOT IN ('blocked', 'busy'))",
        needs=("direction", "result"),
    ),
    "answered": Measure(
        title="接听的来电", table="calls", sql=f"count(*) FILTER ({_IN} AND {_CONNECTED})", needs=("direction", "talk_s|result")
    ),
    "blocked": Measure(
        title="遇忙的来电",
        table="calls",
        sql=f"count(*) FILTER ({_IN} AND result IN ('blocked', 'busy'))",
        needs=("direction", "result"),
    ),
    "abandoned": Measure(
        title="放弃（20 秒后）",
        table="calls",
        sql=f"count(*) FILTER ({_IN} AND result = 'abandoned' AND queue_s > 20)",
        needs=("direction", "result", "queue_s"),
    ),
    "abandonable": Measure(
        title="接入（短时放弃除外）",
        table="calls",
        sql=f"count(*) FILTER ({_IN} AND coalesce(result, '') NOT IN ('blocked', 'busy') "
        "AND NOT (coalesce(result, '') = 'abandoned' AND coalesce(queue_s, 0) <= 20))",
        needs=("direction", "result", "queue_s"),
    ),
    "abandon_wait": Measure(
        title="放弃前等待",
        table="calls",
        sql=f"sum(queue_s) FILTER ({_IN} AND result = 'abandoned')",
        needs=("direction", "result", "queue_s"),
        unit="seconds",
    ),
    "abandons": Measure(
        title="全部放弃",
        table="calls",
        sql=f"count(queue_s) FILTER ({_IN} AND result = 'abandoned')",
        needs=("direction", "result", "queue_s"),
    ),
    "queue": Measure(
        title="排队时长", table="calls", sql=f"sum(queue_s) FILTER ({_IN})", needs=("direction", "queue_s"), unit="seconds"
    ),
    "queued": Measure(
        title="排过队的来电", table="calls", sql=f"count(*) FILTER ({_IN} AND queue_s > 0)", needs=("direction", "queue_s")
    ),
    "answer_wait": Measure(
        title="接听前排队",
        table="calls",
        sql=f"sum(queue_s) FILTER ({_IN} AND {_CONNECTED})",
        needs=("direction", "queue_s"),
        unit="seconds",
    ),
    "answer_waits": Measure(
        title="有排队时长的接听",
        table="calls",
        sql=f"count(queue_s) FILTER ({_IN} AND {_CONNECTED})",
        needs=("direction", "queue_s"),
    ),
    "soon": Measure(
        title="20 秒内接听",
        table="calls",
        sql=f"count(*) FILTER ({_IN} AND {_CONNECTED} AND queue_s <= 20)",
        needs=("direction", "queue_s"),
    ),
    "rings": Measure(
        title="振铃次数", table="calls", sql=f"sum(rings) FILTER ({_IN})", needs=("direction", "rings"), unit="number"
    ),
    "rung": Measure(title="有振铃次数的来电", table="calls", sql=f"count(rings) FILTER ({_IN})", needs=("direction", "rings")),
    "transferred": Measure(
        title="转接", table="calls", sql=f"count(*) FILTER ({_HANDLED} AND transferred)", needs=("transferred",)
    ),
    "transferable": Measure(
        title="知道是否转接的通话", table="calls", sql=f"count(transferred) FILTER ({_HANDLED})", needs=("transferred",)
    ),
    "resolved": Measure(title="一次解决", table="calls", sql=f"count(*) FILTER ({_HANDLED} AND resolved)", needs=("resolved",)),
    "resolvable": Measure(
        title="知道是否解决的通话", table="calls", sql=f"count(resolved) FILTER ({_HANDLED})", needs=("resolved",)
    ),
    # 人员
    "paid": Measure(title="付薪工时", table="attendance", sql="sum(paid_s)", needs=("attendance.paid_s",), unit="hours"),
    "productive": Measure(
        title="外呼总时长", table="attendance", sql="sum(productive_s)", needs=("attendance.productive_s",), unit="hours"
    ),
    "away": Measure(title="非外呼工作总时长", table="attendance", sql="sum(away_s)", needs=("attendance.away_s",), unit="hours"),
    "ontime": Measure(title="按时工作时长", table="attendance", sql="sum(ontime_s)", needs=("attendance.ontime_s",), unit="hours"),
    "planned": Measure(
        title="计划上岗时长",
        table="attendance",
        sql="sum(planned_s)",
        needs=("attendance.planned_s|attendance.planned_start",),
        unit="hours",
    ),
    "logged": Measure(
        title="登录时长", table="attendance", sql="sum(logged_s)", needs=("attendance.logged_s|attendance.sign_in",), unit="hours"
    ),
    "fitted": Measure(
        title="吻合时长",
        table="attendance",
        sql="sum(fitted_s)",
        needs=("attendance.planned_start", "attendance.sign_in"),
        unit="hours",
    ),
    "shift": Measure(
        title="排班时长",
        table="attendance",
        sql="sum(shift_s)",
        needs=("attendance.planned_start", "attendance.sign_in"),
        unit="hours",
    ),
    "due_days": Measure(
        title="应出勤人天",
        table="attendance",
        sql="count(present)",
        needs=("attendance.present|attendance.logged_s|attendance.sign_in",),
    ),
    "here_days": Measure(
        title="实出勤人天",
        table="attendance",
        sql="count(*) FILTER (present)",
        needs=("attendance.present|attendance.logged_s|attendance.sign_in",),
    ),
    "logged_days": Measure(
        title="有登录的人天",
        table="attendance",
        sql="count(*) FILTER (logged_s > 0)",
        needs=("attendance.logged_s|attendance.sign_in",),
    ),
    "idle": Measure(title="闲置时长", table="attendance", sql="sum(waiting_s)", needs=("attendance.waiting_s",), unit="hours"),
    "staff": Measure(
        title="在册人数", table="attendance", sql="count(DISTINCT agent_id)", needs=("attendance.agent_id",), additive=False
    ),
    "leavers": Measure(
        title="离职人数",
        table="attendance",
        sql="count(DISTINCT agent_id) FILTER (resigned)",
        needs=("attendance.resigned",),
        additive=False,
    ),
    "cost": Measure(title="费用", table="costs", sql="sum(amount)", needs=("costs.amount",), unit="money"),
    "score_sum": Measure(title="质检得分合计", table="scores", sql="sum(score_sum)", needs=("scores",)),
    "scored": Measure(title="已质检通话", table="scores", sql="sum(scored)", needs=("scores",)),
}
