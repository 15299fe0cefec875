import { createRunAdmission } from '../../src/accounts/run-admission.ts'
import { createMemoryLimits } from '../../src/cluster/memory-limits.ts'
import { createBot, publishBot } from '../../src/bots/bots.ts'
import { botConfigSchema } from '../../src/bots/bot-config.ts'
import { createPublishedBots } from '../../src/bots/published-bots.ts'
import type { ChatEvent } from '../../src/chat/chat-event.ts'
import { createRunStops } from '../../src/journal/run-stops.ts'
import { createLiveRuns } from '../../src/lib/live-runs.ts'
import { startRun } from '../../src/chat/start-run.ts'
import { addWorkflowTools } from '../../src/chat/workflow-tools.ts'
import type { ChatRequest, StartRunDeps } from '../../src/chat/start-run.ts'
import { listMessages } from '../../src/conversations/message-store.ts'
import type { Db } from '../../src/db/database.ts'
import { createGroupCommit } from '../../src/db/group-commit.ts'
import type { GroupCommit } from '../../src/db/group-commit.ts'
import type { ClusterBus } from '../../src/cluster/cluster-bus.ts'
import { createMemoryBus } from '../../src/cluster/memory-bus.ts'
import { createJournalNews } from '../../src/journal/journal-news.ts'
import { createJournal } from '../../src/journal/journal.ts'
import { AppError } from '../../src/lib/app-error.ts'
import { createSnowflake } from '../../src/lib/snowflake.ts'
import type { AnswerOptions, ModelAdapter, ModelRequest, ModelResult } from '../../src/models/model-adapter.ts'
import { openWorkflowRunHouse } from './workflow-run-house.ts'
import type { WorkflowHouseOptions } from './workflow-run-house.ts'

export const ADA = { userId: '1', keyId: '7' }
export const BOB = { userId: '2', keyId: '8' }

export type ChatHouse = Awaited<ReturnType<typeof openChatHouse>>
export type Script = (options: AnswerOptions, request: ModelRequest) => Promise<ModelResult>

type HouseOptions = {
  bot?: object
  commits?: GroupCommit
  maxRuns?: number
  maxRunMs?: number
  workerToken?: string
  workerId?: number
  bus?: ClusterBus
  /** What the nodes of its workflows use and do. */
  workflows?: Pick<WorkflowHouseOptions, 'services' | 'types'>
}

/** All that a chat run needs, below HTTP: ADA has a published bot, its model does what the script says. */
export async function openChatHouse(db: Db, options: HouseOptions = {}) {
  const { bot, maxRuns = 100, maxRunMs = 60_000, workerToken = 'this process', workerId = 1 } = options
  const time = { now: Date.UTC(2026, 0, 1) }
  const clock = () => time.now
  const nextId = createSnowflake(workerId, clock)
  const commits = options.commits ?? createGroupCommit(db)
  const [errors, ended, problems]: [unknown[], object[], string[]] = [[], [], []]
  const onError = (cause: unknown) => void errors.push(cause)
  const model = createScriptedModel()
  const giveUp = new AbortController()
  const { bus = createMemoryBus(onError) } = options
  const news = createJournalNews(bus)
  const liveRuns = createLiveRuns({ maxRuns, maxRunMs }, onError)
  const workflows = openWorkflowRunHouse(db, { ...options.workflows, workerToken, bus })
  const stops = createRunStops({ db, clock, bus, news, liveRuns: [liveRuns, workflows.deps.liveRuns], onError })
  Object.assign(workflows.deps, { clock, nextId, giveUp: giveUp.signal, onError, stops })

  const deps: StartRunDeps = {
    ...{ db, clock, nextId, commits, workerToken, onError, giveUp: giveUp.signal },
    journal: createJournal<ChatEvent>({ db, commits, news, clock, onError }),
    ...{ liveRuns, stops },
    admission: createRunAdmission({ db, clock, limits: createMemoryLimits(clock) }),
    publishedBots: createPublishedBots({ db, clock }),
    getModel: async (name) => {
      if (name === 'missing') throw new AppError('not_found', 'there is no such model')
      return model
    },
    workflows: { ...workflows.deps, fileUrl: async (who, fileId) => `https://files.example.com/${who.userId}/${fileId}` },
    getTools: async (version, request) => {
      const { tools, problems: found } = await addWorkflowTools(deps.workflows, { bot: version, ...request }, { tools: [], problems: [] })
      problems.push(...found)
      return tools
    },
    listeners: { webhooksOf: () => [], wakeWebhooks: () => undefined },
    findVariables: async () => ({}),
    onEnded: (run) => void ended.push(run),
    readFile: (who) => async (fileId) => {
      if (who.userId !== '1' || fileId !== '55') throw new AppError('not_found', `file ${fileId} not found`)
      return { type: 'image', url: 'data:image/png;base64,AA' }
    },
  }
  const profile = { name: 'bot', description: '', iconUrl: '' }
  const config = botConfigSchema.parse({ prompt: 'Be kind.', ...bot })
  const { id: botId } = await createBot(deps, ADA, { ...profile, config })
  await publishBot(deps, ADA, { botId })

  return {
    ...{ deps, time, model, errors, ended, problems, giveUp, botId, clock, nextId, workflows },
    ask: (text: string, request: Partial<ChatRequest> = {}) => startRun(deps, ADA, { ...asking(botId, text), ...request }),
    /** What a reader gets who comes now and stays to the end. */
    async events(runId: string): Promise<ChatEvent[]> {
      const events: ChatEvent[] = []
      for await (const page of deps.journal.follow({ runId, cursor: 0, signal: new AbortController().signal }))
        for (const { event } of page) events.push(event)
      return events
    },
    async messages(conversationId: string): Promise<string[]> {
      const { messages } = await listMessages(db, conversationId, { order: 'asc', limit: 1_000 })
      return messages.map(({ role, content }) => `${role}: ${content}`)
    },
  }
}

export const asking = (botId: string, text: string): ChatRequest => ({
  ...{ botId, variables: {}, functions: [], metaData: {}, messageMeta: {}, stream: true },
  ...{ ifBusy: 'reject', savesHistory: true, clientStyle: 'guide' },
  messages: [{ role: 'user', content: text, contentType: 'text' }],
})

/** A model in this process, as adapters are: it answers "ok" until a test says what else it does. */
function createScriptedModel() {
  const model: ModelAdapter & { requests: ModelRequest[]; script: Script } = {
    requests: [],
    script: async ({ onChunk }) => {
      onChunk({ type: 'text', text: 'ok' })
      return DONE
    },
    answer(request, options) {
      model.requests.push(request)
      return model.script(options, request)
    },
  }
  return model
}

export const DONE: ModelResult = { finishReason: 'stop', usage: { inputTokens: 11, outputTokens: 5 } }

/** Says the text and then nothing, until it is stopped. */
export const sayAndWait =
  (text: string): Script =>
  ({ onChunk, signal }) =>
    new Promise((_resolve, reject) => {
      onChunk({ type: 'text', text })
      signal.addEventListener('abort', () => reject(signal.reason as Error))
    })
