"""Who a person is: numbers of others leak, the customer's own and what he has just said himself do not."""

from __future__ import annotations

import pytest

from qa_pipeline.signals.entity import EntitySpec
from tests.signals.support import call, context, quotes


def find(what: str, *lines: str, strength: str = "strict", both_roles: bool = False, **data: object) -> list[str]:
    spec = EntitySpec(label="身份", what=what)  # type: ignore[arg-type]
    return quotes(context(call(*lines, **data), strength, both_roles=both_roles, s=spec).hits("s"))  # type: ignore[arg-type]


@pytest.mark.parametrize("said", ["13912345678", "幺三九一二三四五六七八", "一三九一二三四五六七八", "01012345678"])
def test_somebodys_telephone_number(said: str) -> None:
    assert find("phone", f"坐：他的号码是{said}，您记一下") == [said]


@pytest.mark.parametrize("said", ["10086", "4001234567", "尾号5678", "订单号88812345678901", "12345678901"])
def test_no_telephone_number(said: str) -> None:
    assert find("phone", f"坐：请拨打{said}") == []


@pytest.mark.parametrize("own", ["13912345678", "+8613912345678", "139-1234-5678", "139 1234 5678"])
@pytest.mark.parametrize("field", ["customer_number", "caller_number"])
def test_the_calls_own_numbers_may_be_read_out_however_the_manifest_writes_them(own: str, field: str) -> None:
    assert find("phone", "坐：您的号码是13912345678对吗", **{field: own}) == []
    assert find("phone", "坐：他的号码是13912345679", **{field: own}) == ["13912345679"]


def test_what_the_customer_said_may_be_read_back() -> None:
    assert find("phone", "客：我老公的是139，1234，5678", "坐：139，1234，5678，对吗") == []
    assert find("phone", "坐：13912345678", "客：对，13912345678") == ["13912345678"]  # the agent said it first


def test_identity_numbers() -> None:
    assert find("identity", "坐：身份证号是330102199003071234") == ["330102199003071234"]
    assert find("identity", "坐：身份证号是33010219900307123X") == ["33010219900307123X"]
    assert find("identity", "坐：身份证前六位是330102") == ["330102"]


@pytest.mark.parametrize(
    "said",
    [
        "身份证后四位是1234",
        "身份证后五位12345",
        "订单号是330102888888881234",
        "他的单号330102",
        "身份证的话请您准备一下，工号是330102",
    ],
)
def test_tails_for_checking_and_other_numbers_are_no_identity(said: str) -> None:
    assert find("identity", f"坐：{said}") == []


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("王小明，你的话费", ["王小明"]),
        ("王小明先生您好", []),
        ("是王小明女士吗", []),
        ("您是叫王小明吗", []),
        ("王小明的家长您好", []),
        ("请问是王小明王先生吗", []),
        ("请问是王小明黄先生吗", []),  # the surname misheard
        ("王小明先声您好", []),  # the title misheard
        ("王小明王先慢您好", []),
        ("王小明犬生您好", []),
        ("王小明女吗", []),
        ("是王小明先吗", []),
        ("王小明先把话费交了", ["王小明"]),
        ("王小明，女儿上学了吧", ["王小明"]),
        ("王小明忘交费了", ["王小明"]),
        ("王小明王小明", ["王小明", "王小明"]),
        ("王晓明您好", ["王晓明"]),  # a recogniser does not know names
        ("您好，忘小名，跟您说个事", ["忘小名"]),
        ("忘晓鸣先生您好", []),
        ("王小妹您好", []),
    ],
)
def test_the_bare_name(said: str, found: list[str]) -> None:
    assert find("bare_name", f"坐：{said}", customer_name="王小明") == found


@pytest.mark.parametrize(
    ("said", "found"),
    [("您好，里媒，跟您说个事", ["里媒"]), ("您好，里面，跟您说个事", []), ("您好里媒跟您说个事", []), ("里媒女士您好", [])],
)
def test_a_name_of_two_syllables_by_sound_is_a_clause_of_its_own(said: str, found: list[str]) -> None:
    assert find("bare_name", f"坐：{said}", customer_name="李梅") == found


@pytest.mark.parametrize("name", [None, "", "王", "王*明", "WANG"])
def test_a_name_that_is_unknown_masked_or_too_short_is_never_found(name: str | None) -> None:
    assert find("bare_name", "坐：王，王小明，wang", customer_name=name) == []


def test_a_traditional_name_of_the_manifest_is_the_same_name() -> None:
    assert find("bare_name", "坐：张伟，你听着", customer_name="張偉") == ["张伟"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("高兴", "很高兴为您服务，请问高先生有什么可以帮您"),
        ("夏天", "夏天流量用得多，夏先生"),
        ("祝福", "祝福您和家人身体健康，祝先生，再见"),
        ("钱多", "您是说这个月钱多扣了是吧"),
        ("江涛", "您那边是江边吧，江涛声可真大"),
    ],
)
def test_ordinary_words_that_happen_to_be_the_customers_name(name: str, said: str) -> None:
    assert find("bare_name", f"坐：{said}", customer_name=name) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("高兴", "喂，高兴，你的话费该交了"),
        ("高兴", "高兴您好，跟您说个事"),
        ("夏天", "请问是夏天吗"),
        ("夏天", "找一下夏天，他在不在"),
        ("江涛", "江涛您稍等"),
        ("李梅", "您好李梅我这边是客服中心"),
    ],
)
def test_who_is_addressed_or_asked_for_by_such_a_name_is_called_by_it(name: str, said: str) -> None:
    assert find("bare_name", f"坐：{said}", customer_name=name) == [name]


@pytest.mark.parametrize(("said", "found"), [("七七三六，合表的户", ["七七三六"]), ("五零二一一七七三七", []), ("三六号楼", [])])
def test_reading_back_what_the_customer_told(said: str, found: list[str]) -> None:
    assert find("read_back", "客：五零二，一一，七七三六", f"坐：{said}") == found


def test_a_compound_surname_said_again() -> None:
    assert find("bare_name", "坐：欧阳小明欧阳先生您好", customer_name="欧阳小明") == []


def test_addresses() -> None:
    assert find("address", "坐：他住在中山路二十八号三单元") == ["他住在中山路二十八号"]
    assert find("address", "坐：营业厅在中山路那边，您今天可以过来") == []


@pytest.mark.parametrize("said", ["工号8012为您服务", "我是八零一二", "公号三千五百二十一", "速运客服，K118", "我是C12", "J18"])
def test_work_numbers_even_where_the_word_was_misheard(said: str) -> None:
    assert len(find("work_number", f"坐：您好，{said}")) == 1


@pytest.mark.parametrize(
    "said",
    [
        "请拨打10086",
        "一百二十块",
        "尾号8012的卡",
        "您的工单号是3017",
        "客户编号是88120",
        "宽带500兆",
        "四零零热线",
        "30天",
        "您的号8012",
        "wifi6路由器",
        "升到5G",
        "加30M",
        "b12分钟",
    ],
)
def test_no_work_numbers(said: str) -> None:
    assert find("work_number", f"坐：{said}") == []


def test_only_the_agents_words_unless_roles_are_guessed_and_doubt_favours_the_agent() -> None:
    assert find("work_number", "客：工号8012") == []
    assert find("work_number", "客：工号8012", strength="loose", both_roles=True) == ["8012"]
    assert find("phone", "客：他的号码是13912345678", both_roles=True) == []
