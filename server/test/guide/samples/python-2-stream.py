# Goes on where python-1-chat.py ends. Reads the lines that begin with "data:" and no others, and takes what is JSON for a dictionary.
import json


def stream(question):
    body = {"bot_id": 123456, "stream": True, "query": question}
    response = requests.post(f"{API_BASE_URL}/v3/chat", headers=headers(Accept="text/event-stream"), json=body, stream=True)
    response.raise_for_status()
    for line in response.iter_lines():
        text = line.decode("utf-8")
        if not text.startswith("data:"):
            continue
        data = text[len("data:") :].strip()
        if data == "[DONE]":
            return
        try:
            yield json.loads(data)
        except json.JSONDecodeError:
            pass


# whatever has the type "answer" is printed: a whole answer that had it would be printed after its parts
for event in stream("Tell me a story"):
    if event.get("type") == "answer":
        print(event.get("content", ""), end="", flush=True)
print()
