"""Who is signed in: Flask-Login holds the secret of a session in a cookie, the database the rest."""

from flask import Flask, g, session
from flask_login import LoginManager, current_user, login_user, logout_user

from portal.services.accounts import sessions

COOKIE = {
    "SESSION_COOKIE_NAME": "__Host-dreamland",
    "SESSION_COOKIE_SECURE": True,  # browsers take 127.0.0.1 and localhost for safe
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "PERMANENT_SESSION_LIFETIME": sessions.IDLE,
    "WTF_CSRF_CHECK_DEFAULT": False,  # the API has keys and no cookie; pages/blueprint.py checks
    "WTF_CSRF_TIME_LIMIT": None,
}
manager = LoginManager()
manager.session_protection = None  # a session is a row that can be ended; phones change addresses


def register(app: Flask) -> None:
    """Read the cookie, and find the visitor when a page asks."""
    app.config.update(COOKIE)
    manager.init_app(app)
    manager.user_loader(load)
    app.jinja_env.globals["current_user"] = current_user  # macros see no other context


def load(secret: str) -> sessions.Visitor | None:
    """Who holds the secret. Asked in vain once, a request is a stranger's: the page of its error, too."""
    if g.get("is_visitor_unknown"):
        return None
    g.is_visitor_unknown = True
    visitor = sessions.visitor(secret)
    g.is_visitor_unknown = visitor is None
    return visitor


def sign_in(secret: str) -> None:
    """Give this browser a session; what it had in its cookie before is gone."""
    visitor = sessions.visitor(secret)
    assert visitor is not None
    session.clear()
    session.permanent = True
    login_user(visitor)


def sign_out() -> None:
    """Forget who it was."""
    logout_user()
    session.clear()
