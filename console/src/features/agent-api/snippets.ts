/** What a snippet is about: where the server is, which agent, and with which key. */
export type SnippetFacts = { baseUrl: string; agentId: string; apiKey: string; question: string; isStream: boolean }

export const SNIPPETS = ['curl', 'python', 'node', 'typescript', 'openai', 'mcp'] as const
export type SnippetKind = (typeof SNIPPETS)[number]

/** Ready to paste: of the language's own quotes, whatever the question has in it. */
export function writeSnippet(kind: SnippetKind, facts: SnippetFacts): string {
  return WRITERS[kind](facts)
}

/** What must be installed before, if anything. */
export const INSTALL: Record<SnippetKind, string | undefined> = {
  curl: undefined,
  python: 'pip install requests',
  node: undefined,
  typescript: 'npm install @coze/api',
  openai: 'npm install openai',
  mcp: undefined,
}

const json = (value: unknown) => JSON.stringify(value)
/** For a shell: all but the quote itself is literal between single quotes. */
const shell = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

const WRITERS: Record<SnippetKind, (facts: SnippetFacts) => string> = {
  curl: ({ baseUrl, agentId, apiKey, question, isStream }) =>
    `curl ${isStream ? '-N ' : ''}${shell(`${baseUrl}/v3/chat`)} \\
  -H ${shell(`Authorization: Bearer ${apiKey}`)} \\
  -H 'Content-Type: application/json' \\
  -d ${shell(json({ bot_id: agentId, user_id: 'user_1', query: question, stream: isStream }))}
`,

  python: ({ baseUrl, agentId, apiKey, question, isStream }) => {
    const head = `${isStream ? 'import json\n' : ''}import requests

reply = requests.post(
    ${json(`${baseUrl}/v3/chat`)},
    headers={"Authorization": ${json(`Bearer ${apiKey}`)}},
    json={"bot_id": ${json(agentId)}, "user_id": "user_1", "query": ${json(question)}, "stream": ${isStream ? 'True' : 'False'}},${isStream ? '\n    stream=True,' : ''}
)
reply.raise_for_status()
`
    return isStream
      ? `${head}event = ""
for line in reply.iter_lines():
    field, _, value = line.decode("utf-8").partition(": ")
    if field == "event":
        event = value
    elif field == "data" and event == "conversation.message.delta":
        print(json.loads(value)["content"], end="", flush=True)
print()
`
      : `${head}print(reply.json()["message"]["content"])
`
  },

  node: ({ baseUrl, agentId, apiKey, question, isStream }) => {
    const head = `// node 18 or later; save as ask.mjs
const reply = await fetch(${json(`${baseUrl}/v3/chat`)}, {
  method: 'POST',
  headers: { Authorization: ${json(`Bearer ${apiKey}`)}, 'Content-Type': 'application/json' },
  body: JSON.stringify({ bot_id: ${json(agentId)}, user_id: 'user_1', query: ${json(question)}, stream: ${isStream} }),
})
if (!reply.ok) throw new Error(await reply.text())
`
    return isStream
      ? `${head}
let rest = ''
for await (const text of reply.body.pipeThrough(new TextDecoderStream())) {
  const events = (rest + text).split('\\n\\n')
  rest = events.pop()
  for (const event of events) {
    if (!event.includes('event: conversation.message.delta')) continue
    const data = event.split('\\n').find((line) => line.startsWith('data: '))
    process.stdout.write(JSON.parse(data.slice(6)).content)
  }
}
console.log()
`
      : `${head}
const { message } = await reply.json()
console.log(message.content)
`
  },

  typescript: ({ baseUrl, agentId, apiKey, question, isStream }) => {
    const head = `import { ${isStream ? 'ChatEventType, ' : ''}CozeAPI, RoleType } from '@coze/api'

const client = new CozeAPI({ baseURL: ${json(baseUrl)}, token: ${json(apiKey)} })
const request = {
  bot_id: ${json(agentId)},
  user_id: 'user_1',
  additional_messages: [{ role: RoleType.User, content: ${json(question)}, content_type: 'text' as const }],
}
`
    return isStream
      ? `${head}
for await (const part of client.chat.stream(request)) {
  if (part.event === ChatEventType.CONVERSATION_MESSAGE_DELTA) process.stdout.write(part.data.content)
}
console.log()
`
      : `${head}
const { chat, messages } = await client.chat.createAndPoll(request)
console.log(chat.status, messages?.find(({ type }) => type === 'answer')?.content)
`
  },

  openai: ({ baseUrl, agentId, apiKey, question, isStream }) => {
    const head = `// the model is the agent's id; save as ask.mjs
import OpenAI from 'openai'

const client = new OpenAI({ baseURL: ${json(`${baseUrl}/v1`)}, apiKey: ${json(apiKey)} })
`
    const request = `{
  model: ${json(agentId)},
  messages: [{ role: 'user', content: ${json(question)} }],${isStream ? '\n  stream: true,' : ''}
}`
    return isStream
      ? `${head}
const stream = await client.chat.completions.create(${request})
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '')
console.log()
`
      : `${head}
const reply = await client.chat.completions.create(${request})
console.log(reply.choices[0].message.content)
`
  },

  mcp: ({ baseUrl, apiKey }) =>
    `${JSON.stringify(
      { mcpServers: { 'coze-plus': { type: 'http', url: `${baseUrl}/mcp`, headers: { Authorization: `Bearer ${apiKey}` } } } },
      null,
      2,
    )}
`,
}
