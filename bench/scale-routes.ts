import { formatRequest } from './http-connection.ts'
import type { House } from './scale-house.ts'

/** A house with somebody at its door: what requests are made from. */
export type Caller = House & {
  /** Of the administrator's session in the console. */
  cookie: string
  /** The same numbers in every bench. */
  random: (below: number) => number
  nextSecret: () => string
}

export type ScaleRoute = {
  name: string
  request: (caller: Caller) => Buffer
  /** A part of every right answer. */
  shows: string
  /** Measured to its first event, and to its end. */
  isStream?: boolean
}

const DAY_MS = 86_400_000

export const scaleRoutes: ScaleRoute[] = [
  {
    name: 'who am I, every key for the first time',
    shows: 'user_id',
    request: (caller) => formatRequest({ path: '/v1/users/me', headers: bearer(caller.nextSecret()) }),
  },
  get('who am I, one key', () => '/v1/users/me'),
  chat('chat in a new conversation', () => ({})),
  chat('chat in a stored conversation', (caller) => ({
    conversation_id: String(caller.layout.conversationId(randomConversation(caller))),
  })),
  chat('chat in the long conversation', ({ layout }) => ({ conversation_id: String(layout.longConversationId) })),
  chat('chat in the long conversation, queueing', ({ layout }) => ({
    conversation_id: String(layout.longConversationId),
    if_busy: 'enqueue',
  })),
  get('conversations, first page', () => conversations(1)),
  get('conversations, page in the middle', ({ sizes }) => conversations(Math.floor(sizes.conversations / PAGE / 2))),
  get('conversations, last page', ({ sizes }) => conversations(Math.floor(sizes.conversations / PAGE) - 1)),
  get('conversations of one end user', (caller) => `${conversations(1)}&user_id=user-${caller.random(1000)}`),
  messages('messages of the long conversation, first page', () => ({ order: 'desc' })),
  messages('messages of the long conversation, from the middle', ({ layout }) => ({ after_id: String(layout.middleOfLong) })),
  get('a chat', (caller) => `/v3/chat/retrieve?${chatAddress(caller)}`),
  get('messages of a chat', (caller) => `/v3/chat/message/list?${chatAddress(caller)}`),
  get('API keys, first page', () => '/v1/api_keys?page_num=1&page_size=20'),
  get('API keys, last page', (caller) => `/v1/api_keys?page_num=${lastKeyPage(caller)}&page_size=20`),
  get('usage of 30 days, by day', ({ now }) => `/v1/usage?group=day&from=${toSeconds(now - 30 * DAY_MS)}&to=${toSeconds(now)}`),
  get('usage of a day, by key', ({ now }) => `/v1/usage?group=key&from=${toSeconds(now - DAY_MS)}&to=${toSeconds(now)}`),
  page('console: keys, first page', () => `${KEYS}?page=1&size=20`),
  page('console: keys, last page', (caller) => `${KEYS}?page=${lastKeyPage(caller)}&size=20`),
  page('console: agents', () => '/api/console/agents'),
  page('console: conversations, first page', () => '/api/console/conversations?page=1&size=20'),
  page('console: conversations, last counted page', ({ sizes }) => {
    return `/api/console/conversations?page=${Math.floor(Math.min(10_000, sizes.conversations) / 20)}&size=20`
  }),
  page('console: conversations, search', (caller) => `/api/console/conversations?page=1&size=20&search=user-${caller.random(1000)}`),
  page('console: end users', () => '/api/console/end-users?page=1&size=20'),
  page('console: messages of the long conversation, first page', (caller) => longMessages(caller, 1)),
  page('console: messages of the long conversation, last counted page', (caller) => {
    return longMessages(caller, Math.floor(Math.min(100_000, countLong(caller)) / 50))
  }),
  page('console: usage of 30 days, by day', (caller) => usage(caller, 30)),
  page('console: usage of 7 days, by day', (caller) => usage(caller, 7)),
]

const PAGE = 50
const KEYS = '/api/permission_api/pat/list_personal_access_tokens'

function get(name: string, path: (caller: Caller) => string): ScaleRoute {
  return {
    ...{ name, shows: '"code":0' },
    request: (caller) => formatRequest({ path: path(caller), headers: bearer(caller.apiKey) }),
  }
}

function page(name: string, path: (caller: Caller) => string): ScaleRoute {
  return { name, shows: '"code":0', request: (caller) => formatRequest({ path: path(caller), headers: { cookie: caller.cookie } }) }
}

function chat(name: string, more: (caller: Caller) => Record<string, string>): ScaleRoute {
  const body = { bot_id: '123456', query: 'Hello, please introduce your features.', stream: true }
  return {
    ...{ name, shows: 'conversation.chat.completed', isStream: true },
    request: (caller) =>
      formatRequest({ method: 'POST', path: '/v3/chat', headers: bearer(caller.apiKey), body: { ...body, ...more(caller) } }),
  }
}

function messages(name: string, body: (caller: Caller) => Record<string, string>): ScaleRoute {
  return {
    ...{ name, shows: '"code":0' },
    request(caller) {
      const path = `/v1/conversation/message/list?conversation_id=${caller.layout.longConversationId}`
      return formatRequest({ method: 'POST', path, headers: bearer(caller.apiKey), body: { limit: 50, ...body(caller) } })
    },
  }
}

const bearer = (apiKey: string) => ({ authorization: `Bearer ${apiKey}` })
const toSeconds = (ms: number) => Math.floor(ms / 1000)
const conversations = (number: number) => `/v1/conversations?bot_id=123456&page_num=${Math.max(1, number)}&page_size=${PAGE}`
const lastKeyPage = ({ sizes }: Caller) => Math.max(1, Math.floor(sizes.keys / 10 / 20))
const randomConversation = ({ random, sizes }: Caller) => random(sizes.conversations)
const countLong = ({ layout }: Caller) => (layout.cohorts[0]?.rounds ?? 0) * 2
const longMessages = ({ layout }: Caller, number: number) =>
  `/api/console/conversations/${layout.longConversationId}/messages?page=${number}&size=50`
const usage = ({ now }: Caller, days: number) => `/api/console/usage?from=${now - days * DAY_MS}&to=${now}&bucket=day`

function chatAddress({ layout, random }: Caller): string {
  const ordinary = layout.cohorts.slice(1).reduce((sum, { rounds }) => sum + rounds, 0)
  const { runId, conversationId } = layout.run(random(ordinary))
  return `conversation_id=${conversationId}&chat_id=${runId}`
}
