"""Calls what the official Python SDK has for bots, messages, variables, apps, users and workspaces.

What came back is printed as one JSON object, call by call; the test beside this file says what it must be.
"""

import json
import os

from cozepy import Coze, CozeAPIError, MessageContentType, MessageRole, TokenAuth
from cozepy.bots import BotOnboardingInfo, BotPromptInfo, BotSuggestReplyInfo, PublishStatus, SuggestReplyMode
from cozepy.conversations.message.feedback import FeedbackType
from cozepy.variables import VariableValue

BASE_URL = os.environ["COZE_URL"]
APP_ID = os.environ["APP_ID"]

coze = Coze(auth=TokenAuth(os.environ["COZE_TOKEN"]), base_url=BASE_URL)
seen = {}


def plain(value):
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def note(name, value):
    seen[name] = plain(value)
    return value


def bots(space_id):
    bot = note(
        "bots.create",
        coze.bots.create(
            space_id=space_id,
            name="Made by cozepy",
            prompt_info=BotPromptInfo(prompt="You are kind"),
            onboarding_info=BotOnboardingInfo(prologue="Hi", suggested_questions=["Who are you?"]),
            suggest_reply_info=BotSuggestReplyInfo(reply_mode=SuggestReplyMode.DISABLE),
        ),
    )
    note("bots.publish", coze.bots.publish(bot_id=bot.bot_id))
    note("bots.retrieve", coze.bots.retrieve(bot_id=bot.bot_id))
    note("bots.update", coze.bots.update(bot_id=bot.bot_id, description="second"))
    draft = coze.bots.retrieve(bot_id=bot.bot_id, is_published=False, use_api_version=2)
    note("bots.retrieve draft", draft)
    note("bots.list", list(coze.bots.list(space_id=space_id, page_size=1)))
    every = coze.bots.list(space_id=space_id, publish_status=PublishStatus.ALL, page_size=1, use_api_version=2)
    note("bots.list all", [each.name for each in every])
    note("bots.unpublish", coze.bots.unpublish(bot_id=bot.bot_id, connector_id="1024"))


def messages(bot_id):
    conversation = coze.conversations.create(bot_id=bot_id)
    place = {"conversation_id": conversation.id}
    client = coze.conversations.messages
    message = client.create(role=MessageRole.USER, content="hello", content_type=MessageContentType.TEXT, **place)
    note("messages.create", message)
    note("messages.retrieve", client.retrieve(message_id=message.id, **place))
    note("messages.update", client.update(message_id=message.id, content="hello again", **place))
    note("messages.list", list(client.list(**place)))
    note("messages.delete", client.delete(message_id=message.id, **place))
    note("messages.list empty", list(client.list(**place)))

    answer = client.create(role=MessageRole.ASSISTANT, content="hi", content_type=MessageContentType.TEXT, **place)
    opinion = {"feedback_type": FeedbackType.UNLIKE, "reason_types": ["slow"], "comment": "no"}
    note("feedback.create", client.feedback.create(message_id=answer.id, **place, **opinion))
    note("feedback.delete", client.feedback.delete(message_id=answer.id, **place))


def variables(bot_id):
    scope = {"bot_id": bot_id, "connector_uid": "ada"}
    note("variables.update", coze.variables.update(data=[VariableValue(keyword="city", value="Paris")], **scope))
    note("variables.retrieve", coze.variables.retrieve(keywords=["city", "nonsense"], **scope).data)
    note("variables.retrieve all", coze.variables.retrieve(keywords=[], **scope).data)
    of_app = {"app_id": APP_ID, "connector_uid": "ada"}
    note("variables.update app", coze.variables.update(data=[VariableValue(keyword="region", value="us")], **of_app))


def refusals(bot_id, space_id):
    stranger = Coze(auth=TokenAuth("pat_nonsense"), base_url=BASE_URL)
    unknown = [VariableValue(keyword="nonsense", value="x")]
    calls = {
        "no key": lambda: stranger.users.me(),
        "no bot": lambda: coze.bots.retrieve(bot_id="1"),
        "no message": lambda: coze.conversations.messages.retrieve(conversation_id="1", message_id="1"),
        "no name": lambda: coze.bots.create(space_id=space_id, name=""),
        "no variable": lambda: coze.variables.update(bot_id=bot_id, connector_uid="ada", data=unknown),
    }
    for name, call in calls.items():
        try:
            call()
            note(name, "no error")
        except CozeAPIError as error:
            note(name, {"code": error.code, "msg": error.msg, "logid": error.logid})


me = note("users.me", coze.users.me())
workspaces = note("workspaces.list", list(coze.workspaces.list()))
bots(workspaces[0].id)
messages(os.environ["BOT_ID"])
variables(os.environ["BOT_ID"])
note("apps.list", list(coze.apps.list(workspace_id=workspaces[0].id)))
refusals(os.environ["BOT_ID"], workspaces[0].id)
print(json.dumps(seen))
