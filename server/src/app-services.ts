import { assertAction, endUserFor, onlyBotOf } from './accounts/principal.ts'
import type { Principal } from './accounts/principal.ts'
import { createTokenIssuer } from './accounts/publishable-tokens.ts'
import { countUsers } from './accounts/user-store.ts'
import { createFirstAdmin, getUser } from './accounts/users.ts'
import { getOwnApp, listOwnApps } from './bots/apps.ts'
import { appendAuditEntry } from './audit/audit-log.ts'
import { changeDraft, createDraft } from './bots/bot-drafts.ts'
import { countBots, listBotFaces } from './bots/bot-list-store.ts'
import { getOwnBot, publishBot, unpublishBot } from './bots/bots.ts'
import { findEndUserVariables } from './bots/end-user-variable-store.ts'
import { readVariables, writeVariables } from './bots/end-user-variables.ts'
import { followRun } from './chat/follow-run.ts'
import { previewDraft } from './chat/preview-draft.ts'
import { startRunOnce } from './chat/repeat-run.ts'
import type { StartRunDeps } from './chat/start-run.ts'
import { submitToolOutputs } from './chat/submit-tool-outputs.ts'
import { cancelRun, getRun, getRunMessages } from './chat/runs.ts'
import { addWorkflowTools } from './chat/workflow-tools.ts'
import * as conversations from './conversations/conversations.ts'
import * as messages from './conversations/messages.ts'
import type { Core } from './core.ts'
import { pingDatabase } from './db/database.ts'
import { AppError } from './lib/app-error.ts'
import { resolveFileForModel } from './files/file-for-model.ts'
import type { PageServices } from './http/console/console-routes.ts'
import type { HttpServices } from './http/http-server.ts'
import { toModelPart } from './chat/file-part.ts'
import type { BotVersion } from './bots/bot-config.ts'
import type { ToolRequest } from './chat/execute-run.ts'
import type { House } from './app-house.ts'
import { openKnownConversation } from './workflows/conversations/app-conversations.ts'
import { followWorkflowRun } from './workflows/runs/follow-workflow-run.ts'
import { startChatflowRun } from './workflows/runs/start-chatflow-run.ts'
import { nodeTypes } from './workflows/nodes/node-registry.ts'
import { startWorkflowRun } from './workflows/runs/start-workflow-run.ts'
import {
  cancelWorkflowRun,
  getOwnNodeRun,
  getWorkflowRun,
  listOwnNodeRuns,
  listOwnWorkflowRuns,
  resumeWorkflowRun,
} from './workflows/runs/workflow-runs.ts'
import { getOwnWorkflow, getShownWorkflow, listWorkflowVersions, listWorkflows } from './workflows/workflows.ts'
import { VERSION } from './version.ts'
import { assertBotWorkflows } from './workflows/bot-workflows.ts'

/** The use cases as the routes call them. */
export function toServices(core: Core, house: House): HttpServices {
  const { db, clock, nextId, secrets } = core
  const { files, keys, metrics, sessions, streams } = house
  const conversing = { db, nextId, clock }
  const issueToken = createTokenIssuer({ secrets, clock })

  return {
    nextId,
    metrics,
    files,
    audit: { appendAudit: (entry) => appendAuditEntry(core, entry) },
    authentication: {
      ...{ authenticateKey: keys.authenticate, authenticateSession: sessions.authenticateSession },
      takeRequest: house.limits.take,
    },
    chat: { streams, addressRules: house.addressRules, ...chatServices(core, house) },
    conversations: {
      async createConversation(who, request) {
        const botId = request.botId ?? onlyBotOf(who)
        // conversations stand below bots: whose bot it is can only be asked here
        if (botId !== undefined) await getOwnBot({ db }, who, botId)
        else if (who.access?.botIds) throw new AppError('invalid_request', 'bot_id is required: this api key is for some bots only')
        return conversations.createConversation(conversing, who, { ...request, botId, endUser: endUserFor(who, request.endUser) })
      },
      getConversation: (who, id) => conversations.getConversation(conversing, who, id),
      listConversations: (who, request) => conversations.listOwnConversations(conversing, who, request),
      renameConversation: (who, request) => conversations.renameConversation(conversing, who, request),
      clearConversation: (who, id) => conversations.clearConversation(conversing, who, id),
      deleteConversation: (who, id) => conversations.deleteConversation(conversing, who, id),
    },
    ...resourceServices(core, house),
    workflows: workflowServices(core, house),
    apiKeys: { db, secrets, clock, forgetKey: keys.forget },
    tokens: {
      async issueToken(who, request) {
        await house.publishedBots.get(who, request.botId)
        return issueToken(who, request)
      },
    },
    usage: { db, sums: house.usageSums },
    console: {
      ...{ sessions, state: stateServices(core, house), keys: { db, secrets, clock, forgetKey: keys.forget } },
      ...pageServices(core, house),
    },
    ops: {
      metrics,
      metricsToken: core.config.metricsToken,
      findProblem: () => findProblem(core),
      listWeaknesses: () => listWeaknesses(core, house),
    },
  }
}

function stateServices({ db, clock, config }: Core, { sessions }: House): HttpServices['console']['state'] {
  return {
    sessions,
    hasUsers: async () => (await countUsers(db)) > 0,
    createFirstAdmin: (request) => createFirstAdmin({ db, clock }, request),
    ...{ maySignUp: config.allowSignup, version: VERSION, publicUrl: config.publicUrl },
  }
}

function pageServices(core: Core, house: House): PageServices {
  const { db, clock, nextId, secrets, config } = core
  const { files, keys, liveRuns, models, publishedBots, streams, tools } = house
  const { running } = house.workflows
  const making = { db, clock, nextId }

  return {
    agents: {
      ...{ ...making, secrets, links: files.links, forgetBot: publishedBots.forget },
      listTools: ({ id, draft }) => tools.forBot({ botId: id, config: draft }, AbortSignal.timeout(TOOL_CHECK_MS)),
    },
    preview: {
      ...{ ...chatServices(core, house), streams },
      previewDraft: (who, request) => previewDraft(chatDeps(core, house), who, request),
    },
    uploads: files,
    workflows: { ...making, nodeTypes },
    workflowRuns: { ...running, streams },
    ...{ conversations: { db }, usage: { db, sums: house.usageSums } },
    models: { ...making, secrets, models },
    audit: { db },
    accounts: { db, clock, forgetUser: keys.forgetUser },
    status: {
      ...{ db, objects: files.objects, redisUrl: config.redisUrl, version: VERSION, publicUrl: config.publicUrl },
      countRuns: () => liveRuns.count + running.liveRuns.count,
      countStreams: () => streams.count,
    },
  }
}

const TOOL_CHECK_MS = 30_000

function resourceServices(core: Core, house: House): Pick<HttpServices, 'messages' | 'bots' | 'apps' | 'variables' | 'users'> {
  const { db, clock, nextId } = core
  const { publicUrl } = core.config
  const deps = { db, nextId, clock, links: house.files.links }

  return {
    messages: {
      listMessages: (who, request) => conversations.listOwnMessages(deps, who, request),
      createMessage: (who, request) => messages.createMessage(deps, who, request),
      getMessage: (who, address) => messages.getMessage(deps, who, address),
      changeMessage: (who, change) => messages.changeMessage(deps, who, change),
      deleteMessage: (who, address) => messages.deleteMessage(deps, who, address),
      giveFeedback: (who, request) => messages.giveFeedback(deps, who, request),
      getFeedback: (who, address) => messages.getFeedback(deps, who, address),
      withdrawFeedback: (who, address) => messages.withdrawFeedback(deps, who, address),
    },
    bots: { publicUrl, ...botServices(core, house) },
    apps: {
      publicUrl,
      getApp: (who, appId) => getOwnApp(deps, who, appId),
      listApps: (who, page) => listOwnApps(deps, who, page),
    },
    variables: {
      readVariables: (who, request) => readVariables(deps, who, request),
      writeVariables: (who, request) => writeVariables(deps, who, request),
    },
    users: { getUser: (who) => getUser(deps, who.userId) },
  }
}

function botServices({ db, clock, nextId }: Core, { files, publishedBots }: House): Omit<HttpServices['bots'], 'publicUrl'> {
  const deps = { db, nextId, clock, links: files.links }
  // what this process publishes or takes offline counts at once
  const forgetting = async <T>(botId: string, change: Promise<T>): Promise<T> => change.finally(() => publishedBots.forget(botId))

  return {
    getPublishedBot: (who, botId) => publishedBots.get(who, botId),
    getDraft: (who, botId) => getOwnBot(deps, who, botId),
    createDraft: (who, change) => createDraft(deps, who, change),
    changeDraft: (who, change) => changeDraft(deps, who, change),
    async publishBot(who, botId) {
      // bots stand below workflows: whose those are can only be asked here
      await assertBotWorkflows(deps, who, (await getOwnBot(deps, who, botId)).draft)
      return forgetting(botId, publishBot(deps, who, { botId }))
    },
    unpublishBot: (who, botId) => forgetting(botId, unpublishBot(deps, who, botId)),
    async listBots({ userId, access }, { status, page, size }) {
      const filter = { ownerId: userId, status, ids: access?.botIds }
      const [bots, total] = await Promise.all([listBotFaces(db, filter, { offset: (page - 1) * size, limit: size }), countBots(db, filter)])
      return { bots, total }
    },
  }
}

/** What a chat runs on. */
function chatDeps(core: Core, house: House): StartRunDeps {
  const { db, clock, nextId, workerToken } = core
  const { admission, commits, files, journal, liveRuns, stops, metrics, models, onError, publishedBots } = house
  return {
    ...{ db, clock, nextId, workerToken, journal, commits, liveRuns, stops, publishedBots, admission, onError },
    giveUp: house.giveUp.signal,
    getModel: models.getAdapter,
    workflows: house.workflows.running,
    getTools: async (bot: BotVersion, { signal, ...request }: ToolRequest) => {
      const ownTools = await house.tools.forBot(bot, signal, request.reservedNames)
      const { tools, problems } = await addWorkflowTools(house.workflows.running, { bot, ...request }, ownTools)
      for (const problem of problems) core.logger.warn({ botId: bot.botId, problem }, 'a tool of the bot cannot be used')
      return tools
    },
    listeners: house.listeners,
    findVariables: (who: Principal, scope: { botId: string; endUser: string }) =>
      findEndUserVariables(db, { ownerId: who.userId, ...scope }),
    onEnded: metrics.runEnded,
    readFile: (who: Principal) => async (fileId: string) => {
      assertAction(who, 'files')
      return toModelPart(await resolveFileForModel(files, who, fileId))
    },
  }
}

function chatServices(core: Core, house: House): Omit<HttpServices['chat'], 'streams' | 'addressRules'> {
  const { db } = core
  const { journal, stops } = house
  const runs = { db, stops }
  const starting = chatDeps(core, house)

  return {
    startRun: (who, request) => startRunOnce(starting, who, request),
    submitToolOutputs: (who, request) => submitToolOutputs(starting, who, request),
    followRun: (position) => followRun({ db, journal }, position),
    getRun: (who, address) => getRun(runs, who, address),
    getRunMessages: (who, address) => getRunMessages(runs, who, address),
    cancelRun: (who, address) => cancelRun(runs, who, address),
  }
}

function workflowServices(core: Core, house: House): HttpServices['workflows'] {
  const { db, clock, nextId } = core
  const { running } = house.workflows

  return {
    publicUrl: core.config.publicUrl,
    streams: house.streams,
    startRun: (who, request) => startWorkflowRun(running, who, request),
    startChat: (who, request) => startChatflowRun(running, who, request),
    resumeRun: (who, request) => resumeWorkflowRun(running, who, request),
    cancelRun: (who, address) => cancelWorkflowRun(running, who, address),
    followRun: (position) => followWorkflowRun(running, position),
    getRun: (who, address) => getWorkflowRun(running, who, address),
    async listRuns(who, request) {
      await getOwnWorkflow({ db }, who, request.workflowId)
      return listOwnWorkflowRuns(running, who, request)
    },
    listNodes: (who, request) => listOwnNodeRuns(running, who, request),
    getNode: (who, request) => getOwnNodeRun(running, who, request),
    openConversation: (who, request) => openKnownConversation({ db, nextId, clock }, who, request),
    getWorkflow: (who, workflowId) => getShownWorkflow({ db }, who, workflowId),
    listWorkflows: (who, request) => listWorkflows({ db }, who, request),
    listVersions: (who, request) => listWorkflowVersions({ db }, who, request),
    async getCreator(who) {
      const { id, name } = await getUser({ db }, who.userId)
      return { id, name }
    },
  }
}

async function listWeaknesses({ config }: Core, { bus, files }: House): Promise<string[]> {
  const redis = config.redisUrl === undefined || bus.isShared ? [] : ['Redis cannot be reached']
  const storage = await files.objects.check().then(
    () => [],
    () => ['files cannot be stored'],
  )
  return [...redis, ...storage]
}

async function findProblem({ db, logger }: Core): Promise<string | undefined> {
  try {
    await pingDatabase(db)
    return undefined
  } catch (cause) {
    logger.warn({ err: cause }, 'not ready')
    return 'the database cannot be reached'
  }
}
