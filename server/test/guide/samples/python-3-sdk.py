# One session that says "Content-Type: application/json" on every request: on those without a body, and on uploads, whose multipart
# boundary is then in the body only.
import json

import requests


class CozePlusClient:
    def __init__(self, api_key, base_url="http://localhost:8888"):
        self.base_url = base_url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {api_key}"
        self.session.headers["Content-Type"] = "application/json"

    def chat(self, bot_id, query, stream=False, **optional):
        body = {"bot_id": bot_id, "query": query, "stream": stream, **optional}
        return self._events(body) if stream else self._result("POST", "/v3/chat", json=body)

    def get_bot_info(self, bot_id):
        return self._result("GET", "/v1/bot/get_online_info", params={"bot_id": bot_id})

    def upload_file(self, path):
        with open(path, "rb") as file:
            return self._result("POST", "/v1/files/upload", files={"file": file})

    def create_conversation(self, bot_id, user_id=None):
        return self._result("POST", "/v1/conversation/create", json={"bot_id": bot_id, "user_id": user_id})

    def list_conversations(self, bot_id, user_id=None):
        return self._result("GET", "/v1/conversations", params={"bot_id": bot_id, "user_id": user_id})

    def _result(self, method, path, **request):
        response = self.session.request(method, self.base_url + path, **request)
        response.raise_for_status()
        return response.json()

    def _events(self, body):
        accept = {"Accept": "text/event-stream"}
        with self.session.post(f"{self.base_url}/v3/chat", json=body, headers=accept, stream=True) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                data = line.decode("utf-8").removeprefix("data:").strip()
                if data == "[DONE]":
                    return
                if line.startswith(b"data:"):
                    yield json.loads(data)


client = CozePlusClient("pat_your_key")
print(client.chat(123456, "Who are you?"))
for event in client.chat(123456, "Tell me a story", stream=True):
    if event.get("type") == "answer":
        print(event["content"], end="", flush=True)
print()
