"""A new rule file to fill in: commented, with examples, and valid as it stands."""

from __future__ import annotations

TEMPLATE = """\
# 一条规则一个文件。写法见 docs/rules.zh-CN.md；写完运行：
#   qa rules check --rules 规则文件夹 && qa rules test {clause} --rules 规则文件夹
# 要扣分、扣款，在规则文件夹的 policy.yaml 的 clauses 里写上 {clause}；不写只记录违规。
clause: {clause}            # 条款代码，公开而且不变
rule: {clause}-new          # 规则编号，全书唯一
title: 新条款
source:
  doc: S0                # S0–S3
  article: 篇、章、条
  text: 原文
means: 这条规则管什么。
instead: 应当怎么说。
# advice: true           # 只提示，不计分不扣款
# applies:               # 不满足的通话为“不适用”
#   - sold: true
needs: [agent]           # 不知道的为“无法判定”
signals:
  said:
    kind: phrase
    label: 不该说的话
    phrases: ["(请|麻烦)~2示例违规说法"]
    # lexicons: [词库名]
    # unless: ["附近有这句就不算"]
    # where: {{first_turns: 2}}
judge:
  must_not: [said]       # 应说的写 must: [...]
examples:
  violating:
    - turns: ["坐席：请您示例违规说法。", "客户：啊？"]
      finds: [示例违规说法]
    - turns: ["坐席：麻烦示例违规说法。"]
    - turns: ["坐席：请示例为规说法。"]
      noise: true
  clear:
    - turns: ["坐席：请您稍等。"]
    - turns: ["坐席：您请说。", "客户：请示例违规说法。"]
      lookalike: true
    - turns: ["坐席：请您烧等。"]
      noise: true
"""


def skeleton(clause: str) -> str:
    """The text of a new rule file."""
    return TEMPLATE.format(clause=clause)
