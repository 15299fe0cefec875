import requests

API_BASE_URL = "http://localhost:8888"
API_KEY = "pat_your_key"


def headers(**more):
    return {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json", **more}


def ask(question):
    body = {"bot_id": 123456, "stream": False, "query": question}
    response = requests.post(f"{API_BASE_URL}/v3/chat", headers=headers(), json=body)
    # only the HTTP status tells this client that something went wrong
    response.raise_for_status()
    return response.json()


print(ask("Who are you?"))
