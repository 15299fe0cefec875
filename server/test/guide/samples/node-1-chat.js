const axios = require('axios')

const API_BASE_URL = 'http://localhost:8888'
const API_KEY = 'pat_your_key'

const headers = { Authorization: `Bearer ${API_KEY}`, 'Content-Type': 'application/json' }
const question = { bot_id: 123456, query: 'Who are you?', stream: false }

axios.post(`${API_BASE_URL}/v3/chat`, question, { headers }).then((response) => console.log(response.data))
