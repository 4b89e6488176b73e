"""The routes, by who works with them."""

from qa_pipeline.web.routes import (
    admin,
    agent,
    api,
    appealing,
    calls,
    deciding,
    desk,
    entrance,
    figures,
    following,
    money,
    reporting,
    studio,
    trust,
)

TABLE = (entrance, desk, calls, appealing, agent, figures, money, trust, following, reporting, studio, admin, api, deciding)
