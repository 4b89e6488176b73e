"""The two faces of every action: a form of a page, and a call of the API."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Annotated, Any, get_origin

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from qa_pipeline.errors import StoreError, UserError
from qa_pipeline.web.actions import ACTIONS, Action, Done, Model
from qa_pipeline.web.guard import Ask, Refused, ask
from qa_pipeline.web.views import back

router = APIRouter()
_OWN_FIELDS = ("csrf", "back", "stay")  # where to go afterwards, and where to stay when it was refused


def run(asked: Ask, action: Action, ids: dict[str, str], said: Model) -> Done:
    """The action in its transaction; what another process must finish first is told as such."""
    if action.prepare is not None:
        action.prepare(asked.site)
    done = asked.act(lambda tx: action.work(asked.site, tx, ids, said))
    if action.after is not None:
        action.after(asked.site)
    return done


def _form_route(action: Action) -> Callable[..., Response]:
    def do(asked: Annotated[Ask, Depends(ask)]) -> Response:
        ids = dict(asked.request.path_params)
        url = asked.text("back", "/")
        stay = asked.text("stay") or url
        try:
            said = _from_form(action.model, asked)
            done = run(asked, action, ids, said)
        except ValidationError as error:
            places = "、".join(str(item["loc"][0]) for item in error.errors() if item["loc"])
            return back(asked, stay, f"没有保存，请检查：{places or '填写的内容'}。", kind="bad", kept=_typed(action.model, asked))
        except (UserError, StoreError) as error:
            return back(asked, stay, str(error), kind="bad", kept=_typed(action.model, asked))
        return back(asked, url, done.message)

    return do


def _typed(model: type[Model], asked: Ask) -> dict[str, str]:
    """What a person wrote into a form that stays on its page, so that nobody writes it twice."""
    if not asked.text("stay"):
        return {}
    return {name: asked.text(name) for name, field in model.model_fields.items() if field.annotation is str and asked.text(name)}


def _from_form(model: type[Model], asked: Ask) -> Model:
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if get_origin(field.annotation) is list:
            values[name] = [item for item in asked.form.getlist(name) if isinstance(item, str)]
        elif name in asked.form and (asked.form[name] != "" or field.annotation is str):
            values[name] = asked.form[name]
    unknown = set(asked.form) - set(values) - set(model.model_fields) - set(_OWN_FIELDS)
    if unknown:
        raise Refused(422, "表单里有不认识的内容。")
    return model(**values)


def _api_route(action: Action) -> Callable[..., Response]:
    def do(**given: Any) -> Response:
        asked, said = given.pop("asked"), given.pop("body")
        done = run(asked, action, {name: str(value) for name, value in given.items()}, said)
        return JSONResponse({"message": done.message, **done.data})

    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=str) for name in re.findall(r"{(\w+)}", action.path)
    ]
    parameters.append(inspect.Parameter("asked", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[Ask, Depends(ask)]))
    parameters.append(inspect.Parameter("body", inspect.Parameter.KEYWORD_ONLY, annotation=action.model))
    do.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return do


def _register() -> None:
    for action in ACTIONS:
        router.add_api_route(
            f"/do{action.path}", _form_route(action), methods=["POST"], name=f"do.{action.name}", include_in_schema=False
        )
        router.add_api_route(
            f"/api/v1{action.path}",
            _api_route(action),
            methods=["POST"],
            name=f"api.{action.name}",
            summary=action.title,
            tags=["动作"],
        )


_register()
