"""The values that flow through the pipeline: frozen, slotted, keyword-only.

    CallData ─intake→ Recording ─asr→ Transcript ─speakers→ Conversation ─audit→ Outcome ─scoring→ Scorecard

Units: seconds are floats from the start of the recording (``_s``), levels are dBFS (``_db``), pitch is semitones (``_st``),
money is ``Decimal`` yuan. ``None`` always means *not known*; it never means zero. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Role(StrEnum):
    """Who speaks. IVR, third voices and undecided speech are ``UNKNOWN``."""

    AGENT = "agent"
    CUSTOMER = "customer"
    UNKNOWN = "unknown"


class RoleSource(StrEnum):
    """How a role is known. Only ``CHANNEL``, ``IMPORTED`` and ``HUMAN`` are facts, the others are guesses."""

    CHANNEL = "channel"  # the manifest names the agent's channel
    CUES = "cues"  # two channels, decided from what is said
    VOICE = "voice"  # one channel, voices told apart, decided from what is said
    IMPORTED = "imported"  # a ready transcript said so
    HUMAN = "human"  # a reviewer corrected it
    NONE = "none"  # nobody knows

    @property
    def known(self) -> bool:
        return self in (RoleSource.CHANNEL, RoleSource.IMPORTED, RoleSource.HUMAN)


class HangupBy(StrEnum):
    AGENT = "agent"
    CUSTOMER = "customer"
    SYSTEM = "system"


class CallType(StrEnum):
    SALE = "sale"
    CONFIRM = "confirm"
    REVISIT = "revisit"
    SERVICE = "service"
    OTHER = "other"


class CallOutcome(StrEnum):
    SUCCESS = "success"
    REFUSED = "refused"
    CALLBACK = "callback"
    NO_ANSWER = "no_answer"
    OTHER = "other"


class Fitness(StrEnum):
    """A measured weakness of a recording. Rules whose needs it touches answer 无法判定."""

    DUAL_MONO = "dual_mono"  # two channels hold the same signal: treated as one channel
    SWAPPED = "swapped"  # what is said contradicts the manifest's agent channel
    CROSSTALK = "crosstalk"
    CLIPPING = "clipping"
    NEAR_SILENCE = "near_silence"
    TOO_SHORT = "too_short"
    TRUNCATED = "truncated"
    MUSIC = "music"


class Verdict(StrEnum):
    VIOLATION = "违规"
    CLEAR = "合规"
    NOT_APPLICABLE = "不适用"
    NOT_EVALUATED = "无法判定"


class Strength(StrEnum):
    """Which matching found a phrase: same characters, same syllables, or an edit distance away."""

    EXACT = "exact"
    PHONETIC = "phonetic"
    FUZZY = "fuzzy"
    MEANING = "meaning"  # not the words: what the turn does, by the network of the acts
    MEASURED = "measured"  # not words: a time, a level, a field of the call data


class EvidenceKind(StrEnum):
    HIT = "hit"  # what proves the verdict
    SAID = "said"  # of an omission: a part of what is owed that was said; never against the agent
    SEARCHED = "searched"  # the span in which an omission was looked for
    NEAREST = "nearest"  # the nearest thing heard there
    EXCUSE = "excuse"  # why a hit does not count
    READING = "reading"  # the second listening of a span
    DATA = "data"  # a field of the call data


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True, kw_only=True)
class CallData:
    """One row of the manifest. Everything but ``call_id`` may be unknown."""

    call_id: str
    file: str | None = None
    agent_id: str | None = None
    agent_name: str | None = None
    team: str | None = None
    supervisor: str | None = None
    line: str | None = None
    caller_number: str | None = None
    customer_number: str | None = None
    customer_name: str | None = None
    started_at: str | None = None  # ISO 8601, local time of the centre
    answered_at: str | None = None
    ended_at: str | None = None
    hangup_by: HangupBy | None = None
    hangup_at: float | None = None  # seconds into the recording
    call_type: CallType | None = None
    outcome: CallOutcome | None = None
    product: str | None = None
    trial_days: int | None = None
    charged: bool | None = None
    complaint: bool | None = None
    agent_channel: int | None = None  # 0 or 1
    extra: tuple[tuple[str, str], ...] = ()  # unknown columns, sorted by name


@dataclass(frozen=True, slots=True, kw_only=True)
class FitnessFact:
    kind: Fitness
    channel: int | None = None
    value: float  # the measured figure, in the unit that ``message`` names
    message: str  # Chinese, for the reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A decoded recording's facts. ``audio_hash`` (SHA-256 of the file's bytes) is its identity."""

    path: str
    audio_hash: str
    duration_s: float
    sample_rate: int
    channels: int  # channels that carry their own signal: dual mono counts as 1
    codec: str
    fitness: tuple[FitnessFact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """``start``/``end`` are character offsets into the raw text of the segment or turn that holds the word."""

    start: int
    end: int
    start_s: float
    end_s: float
    confidence: float  # 0..1


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What the engine heard in one stretch of one channel; ``text`` is raw (any script, digits, spaces)."""

    channel: int
    start_s: float
    end_s: float
    text: str
    words: tuple[Word, ...] = ()
    confidence: float  # 0..1, mean word probability, else exp(avg_logprob)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSpan:
    channel: int
    start_s: float
    end_s: float
    note: str = ""  # why it stands here, Chinese


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """What produced a transcript; part of the provenance and of the cache key."""

    name: str
    model: str
    model_hash: str
    options: tuple[tuple[str, str], ...] = ()  # sorted


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceSpan:
    """One channel, several people: voices 0 and 1 are told apart by sound, in order of first appearance; 2 is a clear third."""

    voice: int
    start_s: float
    end_s: float
    confidence: float  # 0..1, how much nearer to this voice than to the other


@dataclass(frozen=True, slots=True, kw_only=True)
class Acoustics:
    """What is measured from the samples and kept, so that judging never needs the audio again.

    One value every ``hop_s`` seconds and channel: level in dBFS, pitch in semitones above 55 Hz (None: unvoiced).
    """

    hop_s: float
    level_db: tuple[tuple[float, ...], ...]
    pitch_st: tuple[tuple[float | None, ...], ...]
    voices: tuple[VoiceSpan, ...] = ()  # only for one channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """All that was heard in a recording, sorted by (start_s, channel)."""

    audio_hash: str
    duration_s: float
    channels: int
    engine: EngineInfo
    segments: tuple[Segment, ...]
    voiced: tuple[ChannelSpan, ...] = ()  # speech by voice activity, measured from the audio
    uncovered: tuple[ChannelSpan, ...] = ()  # voiced, heard twice, still without words
    dropped: tuple[ChannelSpan, ...] = ()  # words thrown away: loops, text over silence
    acoustics: Acoustics | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """Something a turn does (``acts.names``), how surely (0..1, to the hundredth), and at which character that shows most."""

    name: str
    sure: float
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Consecutive speech of one role, merged: a phrase may cross recogniser segments.

    ``raw`` is what was heard, untouched. ``text`` is its normal form (simplified script, half width, lower case); ``to_raw[i]`` is
    the offset in ``raw`` of ``text[i]``. Words carry offsets into ``raw``. Times are None in ready transcripts without times.
    """

    index: int
    role: Role
    role_source: RoleSource
    role_confidence: float  # 0..1
    raw: str
    text: str
    to_raw: tuple[int, ...]
    start_s: float | None = None
    end_s: float | None = None
    words: tuple[Word, ...] = ()
    confidence: float | None = None  # mean recogniser confidence
    channel: int | None = None
    loudness_db: float | None = None  # speech level of the turn
    pitch_st: float | None = None  # standard deviation of the pitch in semitones
    after_hangup: bool = False
    acts: tuple[Act, ...] | None = None  # what the turn does, by the order of ``acts.names``; None: not read yet


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicedSpan:
    role: Role
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """All that rules may see. ``None`` for a measured field: there was no audio to measure."""

    call: CallData
    turns: tuple[Turn, ...]
    duration_s: float | None = None
    channels: int | None = None  # 1 or 2; None: ready transcript
    voiced: tuple[VoicedSpan, ...] | None = None  # speech per role, from the audio, sorted
    uncovered: tuple[VoicedSpan, ...] = ()  # speech without words
    fitness: tuple[FitnessFact, ...] = ()
    role_reason: str = ""  # why the roles are as they are, Chinese, for the reader

    @property
    def has_times(self) -> bool:
        return all(turn.start_s is not None for turn in self.turns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One exhibit. ``quote`` is always the characters actually heard; ``heard_as`` the phrase they were understood as."""

    kind: EvidenceKind
    quote: str = ""
    heard_as: str = ""
    turn: int | None = None
    role: Role | None = None
    start_s: float | None = None
    end_s: float | None = None
    strength: Strength | None = None
    distance: float | None = None  # syllables changed; 0 for exact and phonetic
    confidence: float | None = None
    value: float | None = None  # what was measured (characters a minute, seconds, dB); policy may grade by it
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One rule on one call. A violated rule gives one outcome per hit (``ordinal`` 0, 1, …): each is a finding."""

    clause: str
    rule_id: str
    title: str
    verdict: Verdict
    reason: str
    review: bool = False  # 待复核: a person must look before anything follows
    advice: bool = False  # 仅提示: no points, no money
    ordinal: int = 0
    evidence: tuple[Evidence, ...] = ()
    confidence: float | None = None
    missing: tuple[str, ...] = ()  # for "must" rules of several parts: the parts not found

    @property
    def proof(self) -> Evidence | None:
        """The exhibit that stands for the outcome in a table: the hit, else the part that was said, else the searched span."""
        for kind in (EvidenceKind.HIT, EvidenceKind.SAID, EvidenceKind.DATA, EvidenceKind.SEARCHED):
            for item in self.evidence:
                if item.kind is kind:
                    return item
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty:
    """What policy makes of one finding; ``absorbed_by`` names the clause under which the same fact is already fined.

    ``counted`` penalties make the sums of the scorecard. A finding that must be reviewed first has its amounts written
    here as a proposal and is not counted; a finding that rests on a guessed role counts, but is provisional.
    """

    clause: str
    ordinal: int
    rule_id: str = ""  # with ``ordinal`` the key of the outcome
    points: int = 0
    fine_yuan: Decimal = Decimal(0)
    supervisor_fine_yuan: Decimal = Decimal(0)
    sanction: str = ""
    absorbed_by: str = ""
    provisional: bool = False  # a person must confirm before money is booked
    counted: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    score: int | None  # 0..100; None: nothing could be judged, see ``scoring``
    qualified: bool | None
    fatal: bool
    sale_invalid: bool
    violations: int
    not_evaluated: int
    fine_yuan: Decimal
    supervisor_fine_yuan: Decimal
    provisional: bool
    penalties: tuple[Penalty, ...] = ()
    case_fine_yuan: Decimal = Decimal(0)  # 不合格工单, once per call, contained in fine_yuan


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Why the same input gives the same verdict for ever: everything a verdict depends on."""

    audio_hash: str  # empty for ready transcripts
    content_hash: str  # of call data and turns
    engine: EngineInfo
    rules_digest: str  # rule files, lexicons and policy
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRun:
    """One call judged once. ``run_id`` is derived from the provenance: the same input is the same run.

    ``transcript`` and ``readings`` (those of the second listening that are new) go into the store with it.
    """

    run_id: str
    conversation: Conversation
    outcomes: tuple[Outcome, ...]
    scorecard: Scorecard
    provenance: Provenance
    recording: Recording | None = None
    transcript: Transcript | None = None
    readings: tuple[Transcript, ...] = ()
