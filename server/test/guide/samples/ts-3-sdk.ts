import axios from 'axios'
import type { AxiosInstance } from 'axios'

type Question = { bot_id: number; query: string; user_id?: string; conversation_id?: string }
type WholeAnswer = { conversation_id: string; message: { id: string; role: string; content: string; created_at: number } }
type StreamEvent = { type?: string; content?: string }

/** Names JSON as the type of every request, and multipart without a boundary for uploads: axios adds that. */
class CozePlusClient {
  private readonly http: AxiosInstance

  constructor(apiKey: string, baseURL = 'http://localhost:8888') {
    this.http = axios.create({ baseURL, headers: { Authorization: `Bearer ${apiKey}`, 'Content-Type': 'application/json' } })
  }

  async chat(question: Question): Promise<WholeAnswer> {
    const response = await this.http.post<WholeAnswer>('/v3/chat', { ...question, stream: false })
    return response.data
  }

  async *chatStream(question: Question): AsyncGenerator<StreamEvent> {
    const options = { headers: { Accept: 'text/event-stream' }, responseType: 'stream' } as const
    const response = await this.http.post<AsyncIterable<Buffer>>('/v3/chat', { ...question, stream: true }, options)
    let rest = ''
    for await (const chunk of response.data) {
      const lines = `${rest}${chunk.toString()}`.split('\n')
      rest = lines.pop() ?? ''
      for (const data of lines.filter((line) => line.startsWith('data:')).map((line) => line.slice('data:'.length).trim())) {
        if (data === '[DONE]') return
        yield JSON.parse(data) as StreamEvent
      }
    }
  }

  async getBotInfo(botId: number): Promise<unknown> {
    const response = await this.http.get<unknown>('/v1/bot/get_online_info', { params: { bot_id: botId } })
    return response.data
  }

  async uploadFile(file: Buffer, name: string): Promise<unknown> {
    const form = new FormData()
    form.append('file', new Blob([file]), name)
    const response = await this.http.post<unknown>('/v1/files/upload', form, { headers: { 'Content-Type': 'multipart/form-data' } })
    return response.data
  }
}

const client = new CozePlusClient('pat_your_key')
console.log(await client.chat({ bot_id: 123456, query: 'Who are you?' }))
for await (const event of client.chatStream({ bot_id: 123456, query: 'Tell me a story' })) {
  if (event.type === 'answer') process.stdout.write(event.content ?? '')
}
console.log()
