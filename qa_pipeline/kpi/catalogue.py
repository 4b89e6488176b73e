"""The figures themselves, in the order of the sources. S0: 外呼项目运营指标介绍; S1: 外包流程; S2: 23 个数字化指标; S3: 现场管理规范."""

from __future__ import annotations

from qa_pipeline.kpi.figures import Band, Figure

_S0 = "S0 第三篇 "
_S2 = "S2 数字化指标 "

FIGURES: tuple[Figure, ...] = (
    # S0 part 3: 数据源
    Figure(code="K01", group="数据源", title="客户数据总量", formula="提取的客户数据", source=_S0 + "数据源指标", part="accounts", unit="int"),
    Figure(code="K02", group="数据源", title="无效数据总量", formula="无法外拨或非目标客户的数据", source=_S0 + "数据源指标", part="accounts_bad", unit="int"),
    Figure(code="K03", group="数据源", title="无效数据比率", formula="无效数据总量 ÷ 客户数据总量", source=_S0 + "数据源指标", part="accounts_bad", over="accounts"),
    # 进度
    Figure(code="K04", group="进度", title="外拨客户量", formula="外拨过的客户（去重）", source=_S0 + "进度指标", part="called", unit="int"),
    Figure(code="K05", group="进度", title="电话外拨次数", formula="外拨的电话总次数", source=_S0 + "进度指标", part="dialled", unit="int"),
    Figure(code="K06", group="进度", title="平均外拨圈数", formula="非成功联系数据的外拨次数 ÷ 非成功联系数据", source=_S0 + "进度指标", part="missed_calls", over="missed", unit="number"),
    Figure(code="K07", group="进度", title="接通率", formula="接通 ÷ 外拨次数", source="S1 报表格式（二）；S0 第四篇 三.5", part="connected", over="dialled"),
    # 效果
    Figure(code="K08", group="效果", title="成功联系量", formula="接通后联系到目标客户的客户数", source=_S0 + "效果指标", part="reached", unit="int"),
    Figure(code="K09", group="效果", title="未能联系量", formula="没有联系到、可以再拨的客户数", source=_S0 + "效果指标", part="unreached", unit="int"),
    Figure(code="K10", group="效果", title="成功联系率", formula="成功联系量 ÷ 有效数据量", source=_S0 + "效果指标", part="reached", over="accounts_good"),
    Figure(code="K11", group="效果", title="外呼成功量", formula="完成本次外呼的客户数（含成交）", source=_S0 + "效果指标", part="completed", unit="int"),
    Figure(code="K12", group="效果", title="外呼成功率", formula="外呼成功量 ÷ 成功联系量", source=_S0 + "效果指标", part="completed", over="reached"),
    Figure(code="K13", group="效果", title="在线成功量", formula="在电话中成交的客户数", source=_S0 + "效果指标", part="sold", unit="int"),
    Figure(code="K14", group="效果", title="在线成功率", formula="在线成功量 ÷ 外呼成功量", source=_S0 + "效果指标", part="sold", over="completed"),
    Figure(code="K15", group="效果", title="成功比例", formula="外呼成功通话 ÷ 接通", source="S1 报表格式（二）", part="completed_calls", over="connected"),
    Figure(code="K16", group="效果", title="拒绝比例", formula="拒绝 ÷ 接通", source="S1 报表格式（二）", part="refused_calls", over="connected"),
    Figure(code="K17", group="效果", title="预约比例", formula="预约 ÷ 接通", source="S1 报表格式（二）", part="callback_calls", over="connected"),
    Figure(code="K18", group="效果", title="错误数据比例", formula="空号、停机、错号等 ÷ 外拨次数", source="S1 报表格式（二）", part="wrong_calls", over="dialled"),
    # 效率
    Figure(code="K19", group="效率", title="付薪工时", formula="约定的总工作时长", source=_S0 + "人员效率指标", part="paid", scale=1 / 3600, unit="hours"),
    Figure(code="K20", group="效率", title="外呼总时长", formula="处理总时长 + 等待总时长", source=_S0 + "人员效率指标", part="productive", scale=1 / 3600, unit="hours"),
    Figure(code="K21", group="效率", title="非外呼工作总时长", formula="休息、用餐、培训、例会、文书", source=_S0 + "人员效率指标", part="away", scale=1 / 3600, unit="hours"),
    Figure(code="K22", group="效率", title="每小时外呼成功量", formula="外呼成功通话 ÷ 外呼总时长", source=_S0 + "人员效率指标", part="completed_calls", over="productive", scale=3600, unit="number"),
    Figure(code="K23", group="效率", title="每小时在线成功量", formula="成交通话 ÷ 外呼总时长", source=_S0 + "人员效率指标", part="sold_calls", over="productive", scale=3600, unit="number"),
    # 成本
    Figure(code="K24", group="成本", title="平均处理时长（秒）", formula="（准备 + 通话 + 后处理）÷ 外呼次数", source=_S0 + "成本核算指标", part="handle", over="handles", unit="seconds"),
    Figure(code="K25", group="成本", title="人员利用率", formula="外呼总时长 ÷ 付薪工时", source=_S0 + "成本核算指标", part="productive", over="paid"),
    Figure(code="K26", group="成本", title="出勤率（工时）", formula="按时工作总时长 ÷ 付薪总工时", source=_S0 + "成本核算指标", part="ontime", over="paid"),
    # S1
    Figure(code="K27", group="外呼规则", title="ATT 平均通话时长（秒）", formula="通话时长 ÷ 接通通话", source="S1 f KPI 1（标准按剧本）", part="talk", over="talks", unit="seconds"),
    Figure(code="K28", group="外呼规则", title="ACW 挂机后处理（秒）", formula="后处理时长 ÷ 接通通话", source="S1 f KPI 2：20 秒内", part="acw", over="acws", unit="seconds", band=Band(high=20)),
    Figure(code="K29", group="外呼规则", title="通话加振铃（分钟/人天）", formula="（通话 + 振铃）÷ 人天", source="S1 f KPI 3：≥ 290 分钟", part="line_ring", over="agent_days", scale=1 / 60, unit="minutes", band=Band(low=290)),
    Figure(code="K30", group="外呼规则", title="满 290 分钟的人天比例", formula="满 290 分钟的人天 ÷ 人天", source="S1 f KPI 3：≥ 290 分钟", part="agent_days_full", over="agent_days"),
    Figure(code="K31", group="外呼规则", title="联系超过三次的客户", formula="外拨超过 3 次的客户", source="S1 f 1)：每条数据最多联系三次", part="over_tried", unit="int", band=Band(high=0)),
    Figure(code="K32", group="外呼规则", title="重拨间隔合规率", formula="间隔 2–36 小时的重拨 ÷ 重拨", source="S1 f 2)：不小于 2 小时，不大于 36 小时", part="redials_right", over="redials", band=Band(low=1)),
    Figure(code="K33", group="外呼规则", title="人均日外呼量", formula="外拨次数 ÷ 人天", source="S1 g：预计每人每天 100 次", part="agent_calls", over="agent_days", unit="number", band=Band(low=100)),
    # S2
    Figure(code="K34", group="服务中心", title="实际工作率", formula="登录时长 ÷ 计划上岗时长", source=_S2 + "1：92% 或更高", part="logged", over="planned", band=Band(low=0.92)),
    Figure(code="K35", group="服务中心", title="事后处理时间（秒）", formula="后处理时长 ÷ 接通通话", source=_S2 + "2：30–60 秒", part="acw", over="acws", unit="seconds", band=Band(low=30, high=60), note="与 S1 的 20 秒内标准不同，按项目取一个。"),
    Figure(code="K36", group="服务中心", title="平均放弃时间（秒）", formula="放弃前等待 ÷ 放弃", source=_S2 + "3：20–60 秒", part="abandon_wait", over="abandons", unit="seconds", band=Band(low=20, high=60)),
    Figure(code="K37", group="服务中心", title="平均单呼成本（元）", formula="全部费用 ÷ 接听的来电", source=_S2 + "4：2–5 元", part="cost", over="answered", unit="money", band=Band(low=2, high=5)),
    Figure(code="K38", group="服务中心", title="平均通话时间（秒）", formula="（谈话 + 事后处理）÷ 接通通话", source=_S2 + "5：3–10 分钟", part="busy_s", over="busy_n", unit="seconds", band=Band(low=180, high=600)),
    Figure(code="K39", group="服务中心", title="平均持线时间（秒）", formula="持线时长 ÷ 有持线的通话", source=_S2 + "6：20–60 秒", part="hold", over="holds", unit="seconds", band=Band(low=20, high=60)),
    Figure(code="K40", group="服务中心", title="平均振铃次数", formula="振铃次数 ÷ 来电", source=_S2 + "7：2–4 次", part="rings", over="rung", unit="number", band=Band(low=2, high=4)),
    Figure(code="K41", group="服务中心", title="平均排队时间（秒）", formula="排队时长 ÷ 排过队的来电", source=_S2 + "8：30–90 秒", part="queue", over="queued", unit="seconds", band=Band(low=30, high=90)),
    Figure(code="K42", group="服务中心", title="平均应答速度（秒）", formula="接听前总排队时间 ÷ 接听的来电", source=_S2 + "9：20 秒之内", part="answer_wait", over="answer_waits", unit="seconds", band=Band(high=20)),
    Figure(code="K43", group="服务中心", title="平均交谈时间（秒）", formula="通话时长 ÷ 接通通话", source=_S2 + "10：270–360 秒", part="talk", over="talks", unit="seconds", band=Band(low=270, high=360)),
    Figure(code="K44", group="服务中心", title="每小时呼叫次数", formula="接通通话 ÷ 登录时长", source=_S2 + "11（无统一标准）", part="handled", over="logged", scale=3600, unit="number"),
    Figure(code="K45", group="服务中心", title="监听分值", formula="质检得分 ÷ 已质检通话", source=_S2 + "12（无统一标准）", part="score_sum", over="scored", unit="score", note="取自质检库的机检得分。"),
    Figure(code="K46", group="服务中心", title="占线率", formula="（通话 + 持线）÷（通话 + 持线 + 闲置）", source=_S2 + "13：90% 或更大", part="line_s", over="line_s+idle", band=Band(low=0.9)),
    Figure(code="K47", group="服务中心", title="呼叫放弃率", formula="20 秒后放弃 ÷ 接入（短时放弃除外）", source=_S2 + "14：3%–5%", part="abandoned", over="abandonable", band=Band(high=0.05), note="建议范围 3%–5%；低于 3% 不算不达标。"),
    Figure(code="K48", group="服务中心", title="出勤率（人数）", formula="实出勤人天 ÷ 应出勤人天", source=_S2 + "15：95%；S3 3.0.1.1：≥ 95%", part="here_days", over="due_days", band=Band(low=0.95)),
    Figure(code="K49", group="服务中心", title="忙音率", formula="遇忙 ÷ 总呼叫数", source=_S2 + "16：1%–3%", part="blocked", over="offered", band=Band(high=0.03), note="最理想是没有受阻的电话，低于 1% 不算不达标。"),
    Figure(code="K50", group="服务中心", title="一次性解决问题的呼叫率", formula="一次解决 ÷ 接通通话", source=_S2 + "17：85%–100%", part="resolved", over="resolvable", band=Band(low=0.85, high=1)),
    Figure(code="K51", group="服务中心", title="队列放置率", formula="排过队的来电 ÷ 总呼叫数", source=_S2 + "18：10%–20%", part="queued", over="offered", band=Band(low=0.1, high=0.2)),
    Figure(code="K52", group="服务中心", title="转接呼叫率", formula="转接 ÷ 接通通话", source=_S2 + "19：每百通只有一通", part="transferred", over="transferable", band=Band(high=0.01)),
    Figure(code="K53", group="服务中心", title="已复电话百分比", formula="接听的来电 ÷ 进入中心的来电", source=_S2 + "20：98%", part="answered", over="arrived", band=Band(low=0.98)),
    Figure(code="K54", group="服务中心", title="服务水平", formula="20 秒内接听 ÷ 进入中心的来电", source=_S2 + "21：80% 在 20 秒之前", part="soon", over="arrived", band=Band(low=0.8)),
    Figure(code="K55", group="服务中心", title="总呼叫数", formula="所有打入的电话（含受阻、放弃、已复）", source=_S2 + "22", part="offered", unit="int"),
    Figure(code="K56", group="服务中心", title="值机员流动率", formula="离职人数 ÷ 在册人数", source=_S2 + "23：15%–30%（一年）", part="leavers", over="staff", note="本期数；与 15%–30% 的年度目标比较时要按期长折算，不在这里判断。"),
    # S3 and S1: 现场
    Figure(code="K57", group="出勤", title="登录吻合度", formula="签入时段与排班时段重合 ÷ 排班时长", source="S3 3.0.1.2：≥ 92%", part="fitted", over="shift", band=Band(low=0.92)),
    Figure(code="K58", group="出勤", title="有效工作时长（小时/人天）", formula="登录时长 ÷ 有登录的人天", source="S1 TSR：每天不少于 5.5 小时", part="logged", over="logged_days", scale=1 / 3600, unit="hours", band=Band(low=5.5)),
)  # fmt: skip
