# 录音质检：make demo 试用，make test 跑全部测试，make check 是“干净”的唯一定义。
# 只需要 Python 3.11+ 和 make；不需要 ffmpeg，也不访问任何模型网站。

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
QA     := $(BIN)/qa

.PHONY: demo test check docs clean help
.DEFAULT_GOAL := help

help:
	@echo "make demo   试用：安装、质检自带的示例录音、打印得分、写 HTML 报告"
	@echo "make test   跑全部测试"
	@echo "make check  格式、静态检查、类型、分层、文档、测试"
	@echo "make docs   重写由程序生成的命令手册"
	@echo "make clean  删除 .venv 和 qa-out"

# Stamps: the environment is made again only when its recipe (pyproject.toml) changes, so a second make is fast.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 或更高，例如：make $(MAKECMDGOALS) PYTHON=python3.12"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.user: $(VENV)/.made pyproject.toml
	@echo "安装依赖（第一次约几分钟）……"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.user pyproject.toml
	@echo "安装测试依赖……"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: began := $(shell date +%s)
demo: $(VENV)/.user
	@$(QA) demo
	@echo "make demo 用时 $$(( $$(date +%s) - $(began) )) 秒。"

test: began := $(shell date +%s)
test: $(VENV)/.dev
	@$(BIN)/python -m pytest -n 2
	@echo "make test 用时 $$(( $$(date +%s) - $(began) )) 秒。"

check: began := $(shell date +%s)
check: $(VENV)/.dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(QA) rules check
	@$(QA) rules test
	@$(BIN)/python -m pytest -n 2
	@echo "make check 用时 $$(( $$(date +%s) - $(began) )) 秒。"

docs: $(VENV)/.user
	@$(BIN)/python -m qa_pipeline.cli.reference docs/commands.zh-CN.md
	@$(QA) rules reference --out docs/rule-reference.zh-CN.md

clean:
	rm -rf $(VENV) qa-out
