// Takes API_BASE_URL and API_KEY from the sample before it. Cuts every chunk into lines by itself: an event that came in two chunks would
// be lost without a word.
const axios = require('axios')

async function stream(question) {
  const response = await axios.post(
    `${API_BASE_URL}/v3/chat`,
    { bot_id: 123456, query: question, stream: true },
    {
      headers: { Authorization: `Bearer ${API_KEY}`, 'Content-Type': 'application/json', Accept: 'text/event-stream' },
      responseType: 'stream',
    },
  )
  response.data.on('data', (chunk) => chunk.toString().split('\n').forEach(printAnswer))
  response.data.on('end', () => console.log('\n[Stream ended]'))
}

function printAnswer(line) {
  if (!line.startsWith('data:')) return
  try {
    const event = JSON.parse(line.slice('data:'.length))
    if (event.type === 'answer') process.stdout.write(event.content)
  } catch {
    // the end of the stream is no JSON
  }
}

stream('Tell me a story')
