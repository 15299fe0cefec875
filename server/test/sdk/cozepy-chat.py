"""Chats as programs with the official Python SDK write them.

What came back is printed as one JSON object, call by call; the test beside this file says what it must be.
"""

import json
import os
import tempfile

from cozepy import ChatEventType, ChatStatus, Coze, CozeAPIError, Message, TokenAuth, ToolOutput

BOT_ID = os.environ["BOT_ID"]
TOOL_BOT_ID = os.environ["TOOL_BOT_ID"]

coze = Coze(auth=TokenAuth(os.environ["COZE_TOKEN"]), base_url=os.environ["COZE_URL"])
seen = {}


def question(text):
    return [Message.build_user_question_text(text)]


def collect(stream):
    events, text, chat = [], "", None
    for event in stream:
        # versions of the SDK differ in whether they show it
        if event.event != ChatEventType.DONE:
            events.append(event.event.value)
        if event.event == ChatEventType.CONVERSATION_MESSAGE_DELTA:
            text += event.message.content
        if event.chat:
            chat = event.chat
    return events, text, chat


chat = coze.chat.create(bot_id=BOT_ID, user_id="u1", additional_messages=question("hi"), meta_data={"order": "7"})
seen["chat.create"] = [chat.status.value, chat.bot_id, chat.meta_data]

poll = coze.chat.create_and_poll(bot_id=BOT_ID, user_id="u1", additional_messages=question("hi"))
seen["chat.create_and_poll"] = [poll.chat.status.value, [[each.type.value, each.content] for each in poll.messages]]
seen["chat.retrieve"] = coze.chat.retrieve(conversation_id=poll.chat.conversation_id, chat_id=poll.chat.id).status.value
messages = coze.chat.messages.list(conversation_id=poll.chat.conversation_id, chat_id=poll.chat.id)
seen["chat.messages.list"] = [each.content for each in messages]

events, text, ended = collect(coze.chat.stream(bot_id=BOT_ID, user_id="u1", additional_messages=question("hi")))
seen["chat.stream"] = [events[:2], events[-1:], text, ended.status.value, ended.usage.output_count]

events, text, waiting = collect(coze.chat.stream(bot_id=TOOL_BOT_ID, user_id="u1", additional_messages=question("time?")))
calls = waiting.required_action.submit_tool_outputs.tool_calls
seen["requires_action"] = [waiting.status.value, [[each.id, each.function.name, each.function.arguments] for each in calls]]
outputs = [ToolOutput(tool_call_id=each.id, output="ten") for each in calls]
address = {"conversation_id": waiting.conversation_id, "chat_id": waiting.id}
events, text, ended = collect(coze.chat.submit_tool_outputs(tool_outputs=outputs, stream=True, **address))
seen["chat.submit_tool_outputs"] = [text, ended.status.value]

running = coze.chat.create(bot_id=BOT_ID, user_id="u1", additional_messages=question("for ever"))
canceled = coze.chat.cancel(conversation_id=running.conversation_id, chat_id=running.id)
seen["chat.cancel"] = canceled.status == ChatStatus.CANCELED

conversation = coze.conversations.create(bot_id=BOT_ID, messages=question("hello"))
seen["conversations.retrieve"] = coze.conversations.retrieve(conversation_id=conversation.id).id == conversation.id
seen["conversations.list"] = conversation.id in [each.id for each in coze.conversations.list(bot_id=BOT_ID)]
seen["conversations.update"] = coze.conversations.update(conversation_id=conversation.id, name="new").name
seen["conversations.clear"] = coze.conversations.clear(conversation_id=conversation.id).conversation_id == conversation.id
seen["messages.list"] = [each.content for each in coze.conversations.messages.list(conversation_id=conversation.id)]
coze.conversations.delete(conversation_id=conversation.id)

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "notes.txt")
    with open(path, "w") as file:
        file.write("content")
    uploaded = coze.files.upload(file=path)
seen["files.upload"] = [uploaded.bytes, uploaded.file_name]
seen["files.retrieve"] = coze.files.retrieve(file_id=uploaded.id).id == uploaded.id
seen["bots.retrieve"] = coze.bots.retrieve(bot_id=BOT_ID).bot_id

try:
    coze.chat.retrieve(conversation_id="1", chat_id="1")
except CozeAPIError as error:
    seen["no chat"] = [error.code, error.msg]

print(json.dumps(seen))
