"""Workflows as programs with the official Python SDK run them.

What came back is printed as one JSON object, call by call; the test beside this file says what it must be.
"""

import json
import os
import time

from cozepy import ChatEventType, Coze, CozeAPIError, Message, TokenAuth, WorkflowEventType, WorkflowExecuteStatus

BRACKETS = os.environ["BRACKETS"]
ASKING = os.environ["ASKING"]
SPEAKING = os.environ["SPEAKING"]
READING = os.environ["READING"]

coze = Coze(auth=TokenAuth(os.environ["COZE_TOKEN"]), base_url=os.environ["COZE_URL"])
runs = coze.workflows.runs
seen = {}


def collect(stream):
    texts, numbers, interrupt, error = [], [], None, None
    for event in stream:
        # versions of the SDK differ in whether they show the end
        if event.event == WorkflowEventType.DONE:
            continue
        numbers.append(event.id)
        if event.event == WorkflowEventType.MESSAGE:
            texts.append(event.message.content)
        if event.event == WorkflowEventType.INTERRUPT:
            interrupt = event.interrupt
        if event.event == WorkflowEventType.ERROR:
            error = event.error
    return texts, numbers, interrupt, error


def talk(text, conversation_id=None):
    answer, chat, names = "", None, []
    messages = [Message.build_user_question_text(text)]
    for event in coze.workflows.chat.stream(workflow_id=ASKING, additional_messages=messages, conversation_id=conversation_id):
        if event.event == ChatEventType.DONE:
            continue
        names.append(event.event.value)
        if event.event == ChatEventType.CONVERSATION_MESSAGE_DELTA:
            answer += event.message.content
        if event.chat:
            chat = event.chat
    return answer, chat, names


def refusal(call):
    try:
        call()
    except CozeAPIError as error:
        return [error.code, error.msg]


result = runs.create(workflow_id=BRACKETS, parameters={"word": "hi"})
seen["runs.create"] = [result.data, result.debug_url.endswith(result.execute_id)]

started = runs.create(workflow_id=BRACKETS, parameters={"word": "hi"}, is_async=True, ext={"user_id": "ada"})
for _ in range(200):
    history = runs.run_histories.retrieve(workflow_id=BRACKETS, execute_id=started.execute_id)
    if history.execute_status != WorkflowExecuteStatus.RUNNING:
        break
    time.sleep(0.05)
seen["run_histories.retrieve"] = [history.execute_status.value, history.output, history.connector_uid, history.error_code]
nodes = history.node_execute_status
uuid = nodes["101"].node_execute_uuid
node = runs.run_histories.execute_nodes.retrieve(
    workflow_id=BRACKETS, execute_id=started.execute_id, node_execute_uuid=uuid
)
seen["execute_nodes.retrieve"] = [node.is_finish, node.node_output]

texts, numbers, _, _ = collect(runs.stream(workflow_id=SPEAKING, parameters={"topic": "cats"}))
seen["runs.stream"] = [texts, numbers]

_, _, interrupt, _ = collect(runs.stream(workflow_id=ASKING, parameters={"USER_INPUT": "trip"}))
seen["interrupt"] = [interrupt.node_title, interrupt.interrupt_data.type]
for data in ["Rome", "3 km"]:
    texts, numbers, interrupt, _ = collect(
        runs.resume(
            workflow_id=ASKING,
            event_id=interrupt.interrupt_data.event_id,
            resume_data=data,
            interrupt_type=interrupt.interrupt_data.type,
        )
    )
seen["runs.resume"] = [texts, numbers[0]]

_, _, _, error = collect(runs.stream(workflow_id=READING, parameters={"text": "no JSON"}))
seen["error"] = error.error_code

first, chat, names = talk("trip")
seen["chat.stream"] = [first, chat.status.value, names[0], names[-1]]
second, _, _ = talk("Rome", chat.conversation_id)
third, ended, _ = talk("3 km", chat.conversation_id)
seen["chat answered"] = [second, third, ended.status.value]

seen["workflows.list"] = BRACKETS in [each.workflow_id for each in coze.workflows.list()]
seen["workflows.retrieve"] = coze.workflows.retrieve(workflow_id=BRACKETS).workflow_detail.workflow_name
seen["versions.list"] = [each.version for each in coze.workflows.versions.list(workflow_id=BRACKETS)]

seen["no workflow"] = refusal(lambda: runs.create(workflow_id="7"))
seen["bad parameters"] = refusal(lambda: runs.create(workflow_id=BRACKETS))
seen["failed"] = refusal(lambda: runs.create(workflow_id=READING, parameters={"text": "no JSON"}))[0]
seen["waits"] = refusal(lambda: runs.create(workflow_id=ASKING))[0]

print(json.dumps(seen))
