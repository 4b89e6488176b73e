"""Covered numbers and names: nothing private gets out, lengths stay."""

import pytest

from qa_pipeline.masking import Masker, mask_name, mask_number, mask_text
from qa_pipeline.model import CallData


@pytest.mark.parametrize(
    ("number", "covered"),
    [("13912345678", "139****5678"), ("510102199001011234", "510***********1234"), ("10088", "1***8"), ("12", "**"), ("", "")],
)
def test_numbers(number: str, covered: str) -> None:
    assert mask_number(number) == covered


def test_names() -> None:
    assert [mask_name(name) for name in ("张三", "欧阳娜娜", "王", "")] == ["张*", "欧***", "*", ""]


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("您的号码是13912345678对吗", "您的号码是139****5678对吗"),
        ("幺三九幺二三四五六七八", "幺三九****五六七八"),
        ("139-1234-5678", "139******5678"),
        ("每月五元，一共三十天，拨打10086", "每月五元，一共三十天，拨打10086"),
        ("尾号5678", "尾号5678"),
        ("到 2026-12-21 才收费", "到 2026-12-21 才收费"),
        ("2026-10-03 09:05,13912345678", "2026-10-03 09:05,139****5678"),
        ("2026-10-0313912345678", "202**************5678"),
        ("身份证51010219900101123X", "身份证510***********123X"),
    ],
)
def test_running_text_keeps_its_length(text: str, covered: str) -> None:
    assert mask_text(text) == covered
    assert len(covered) == len(text)


def test_masker_covers_the_customer_of_the_call_or_shows_all() -> None:
    call = CallData(call_id="c", customer_name="李小明", customer_number="13912345678")
    assert Masker(call).text("李小明先生您好") == "李**先生您好"
    assert (Masker(call).number("13912345678"), Masker(call).name("李小明"), Masker(call).number(None)) == (
        "139****5678",
        "李**",
        None,
    )
    assert Masker(call, show=True).text("李小明 13912345678") == "李小明 13912345678"
