# Needs the cookie of a signed-in console session.
curl --request POST http://localhost:8888/api/permission_api/pat/create_personal_access_token_and_permission \
  --header 'Content-Type: application/json' --header 'Cookie: your_session_cookie' \
  --data '{ "name": "My API Key", "expire": 0 }'
