# The id of the bot is a number here, and an answer in one piece is asked for by name.
curl http://localhost:8888/v3/chat \
  --header 'Authorization: Bearer pat_your_key' --header 'Content-Type: application/json' \
  --data '{ "bot_id": 123456, "user_id": "reader", "stream": false, "query": "Who are you?" }'
