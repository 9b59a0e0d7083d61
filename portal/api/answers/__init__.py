"""What the API answers, as models: a module for each of the routes'. They describe; nothing runs them."""

from pydantic import BaseModel


class Answer(BaseModel):
    """A JSON object. Fields may be added to it one day, so a reader passes over what it does not know."""
