"""Small invented runs for the store's tests."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from qa_pipeline.model import (
    Acoustics,
    AuditRun,
    CallData,
    CallOutcome,
    CallType,
    ChannelSpan,
    Conversation,
    EngineInfo,
    Evidence,
    EvidenceKind,
    Fitness,
    FitnessFact,
    HangupBy,
    Outcome,
    Penalty,
    Provenance,
    Recording,
    Role,
    RoleSource,
    Scorecard,
    Segment,
    Strength,
    Transcript,
    Turn,
    Verdict,
    VoicedSpan,
    VoiceSpan,
    Word,
)
from qa_pipeline.store import BatchInfo

ENGINE = EngineInfo(name="recorded", model="base", model_hash="905e5bf8", options=(("beam", "5"), ("vad", "on")))
BATCH = BatchInfo(batch_id="b1", started_at="2026-11-02T09:00:00", command="run", source="recordings", options=(("workers", "2"),))
WORDS = (
    Word(start=0, end=2, start_s=0.4, end_s=0.9, confidence=0.91),
    Word(start=3, end=9, start_s=0.9, end_s=2.5, confidence=0.875),
)


def call(number: int = 1, **changes: object) -> CallData:
    data = CallData(
        call_id=f"call-{number:05d}",
        file=f"call-{number:05d}.wav",
        agent_id=f"{1000 + number % 7}",
        agent_name="周宁",
        team="一组",
        supervisor="林涛",
        line="10088",
        caller_number="10088",
        customer_number="13900001234",
        customer_name="赵小满",
        started_at="2026-11-02T10:03:00",
        ended_at="2026-11-02T10:04:10",
        hangup_by=HangupBy.CUSTOMER,
        hangup_at=69.5,
        call_type=CallType.SALE,
        outcome=CallOutcome.SUCCESS,
        product="天气预报",
        trial_days=30,
        charged=False,
        agent_channel=0,
        extra=(("区域", "城东"),),
    )
    return replace(data, **changes)  # type: ignore[arg-type]


def recording(number: int = 1) -> Recording:
    fact = FitnessFact(kind=Fitness.CLIPPING, channel=1, value=0.02, message="客户声道有 2% 的采样削顶")
    return Recording(
        path=f"recordings/call-{number:05d}.wav",
        audio_hash=f"{number:064x}",
        duration_s=70.25,
        sample_rate=8000,
        channels=2,
        codec="pcm_mulaw",
        fitness=(fact,),
    )


def transcript(number: int = 1) -> Transcript:
    return Transcript(
        audio_hash=f"{number:064x}",
        duration_s=70.25,
        channels=2,
        engine=ENGINE,
        segments=(Segment(channel=0, start_s=0.4, end_s=2.5, text="您好,這裡是10088", words=WORDS, confidence=0.89),),
        voiced=(ChannelSpan(channel=0, start_s=0.35, end_s=2.6),),
        uncovered=(ChannelSpan(channel=1, start_s=5.0, end_s=6.5, note="两次都没有听出字"),),
        acoustics=Acoustics(
            hop_s=0.1,
            level_db=((-30.5, -28.0), (-60.0, -61.25)),
            pitch_st=((12.5, None), (None, None)),
            voices=(VoiceSpan(voice=0, start_s=0.4, end_s=2.5, confidence=0.8),),
        ),
    )


def conversation(number: int = 1, **changes: object) -> Conversation:
    turns = (
        Turn(
            index=0,
            role=Role.AGENT,
            role_source=RoleSource.CHANNEL,
            role_confidence=1.0,
            raw="您好,這裡是10088",
            text="您好,这里是10088",
            to_raw=tuple(range(11)),
            start_s=0.4,
            end_s=2.5,
            words=WORDS,
            confidence=0.89,
            channel=0,
            loudness_db=-22.5,
            pitch_st=2.25,
        ),
        Turn(
            index=1,
            role=Role.CUSTOMER,
            role_source=RoleSource.CUES,
            role_confidence=0.7,
            raw="不用了",
            text="不用了",
            to_raw=(0, 1, 2),
            start_s=3.0,
            end_s=3.8,
            after_hangup=False,
        ),
    )
    return Conversation(
        call=call(number, **changes),
        turns=turns,
        duration_s=70.25,
        channels=2,
        voiced=(VoicedSpan(role=Role.AGENT, start_s=0.4, end_s=2.5),),
        fitness=recording(number).fitness,
    )


def outcomes() -> tuple[Outcome, ...]:
    hit = Evidence(
        kind=EvidenceKind.HIT,
        quote="有意见您就告去",
        heard_as="有意见告去",
        turn=0,
        role=Role.AGENT,
        start_s=1.5,
        end_s=2.5,
        strength=Strength.PHONETIC,
        distance=0.0,
        confidence=0.8,
    )
    searched = Evidence(kind=EvidenceKind.SEARCHED, start_s=0.0, end_s=70.25, note="全部坐席话轮")
    near = Evidence(kind=EvidenceKind.NEAREST, quote="每月五元", turn=0, value=61.5)
    return (
        Outcome(
            clause="A04",
            rule_id="A04",
            title="服务忌语",
            verdict=Verdict.VIOLATION,
            reason="说了忌语",
            evidence=(hit,),
            confidence=0.9,
        ),
        Outcome(
            clause="A11",
            rule_id="A11",
            title="未说明资费",
            verdict=Verdict.VIOLATION,
            reason="全程没有资费",
            review=True,
            evidence=(searched, near),
            missing=("金额", "周期"),
        ),
        Outcome(clause="A05", rule_id="A05", title="语速过快", verdict=Verdict.CLEAR, reason="每分钟 250 字"),
        Outcome(clause="B8", rule_id="B8", title="异网号码", verdict=Verdict.NOT_EVALUATED, reason="没有主叫号码"),
        Outcome(clause="C5", rule_id="C5", title="二次确认缺失", verdict=Verdict.NOT_APPLICABLE, reason="没有试用期"),
    )


def scorecard(score: int = 0) -> Scorecard:
    return Scorecard(
        score=score,
        qualified=score >= 60,
        fatal=score == 0,
        sale_invalid=False,
        violations=2,
        not_evaluated=1,
        fine_yuan=Decimal("60.00"),
        supervisor_fine_yuan=Decimal("0.50"),
        provisional=True,
        penalties=(
            Penalty(clause="A04", rule_id="A04", ordinal=0, points=10, fine_yuan=Decimal("10")),
            Penalty(clause="A11", rule_id="A11", ordinal=0, provisional=True, counted=False, note="致命，待复核"),
        ),
        case_fine_yuan=Decimal("50"),
    )


def run(number: int = 1, version: int = 1, **changes: object) -> AuditRun:
    """``version`` stands for the rule set."""
    return AuditRun(
        run_id=f"r{number:08x}{version:08x}",
        conversation=conversation(number, **changes),
        outcomes=outcomes(),
        scorecard=scorecard(),
        provenance=Provenance(
            audio_hash=f"{number:064x}", content_hash=f"c{number}", engine=ENGINE, rules_digest=f"rules-{version}", version="1.0"
        ),
        recording=recording(number),
        transcript=transcript(number),
    )
