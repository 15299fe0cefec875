# No user_id; every event is printed the moment it arrives.
curl http://localhost:8888/v3/chat --no-buffer \
  --header 'Authorization: Bearer pat_your_key' \
  --header 'Content-Type: application/json' --header 'Accept: text/event-stream' \
  --data '{ "bot_id": 123456, "stream": true, "query": "Tell me a story" }'
