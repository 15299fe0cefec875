import { listHistory } from '../../conversations/message-store.ts'
import type { Db } from '../../db/database.ts'
import { AppError } from '../../lib/app-error.ts'
import type { Clock } from '../../lib/clock.ts'
import type { GuardedFetch } from '../../lib/guarded-fetch.ts'
import type { NextId } from '../../lib/snowflake.ts'
import type { ModelMessage } from '../../models/model-adapter.ts'
import type { ModelRegistry } from '../../models/model-registry.ts'
import type { CodeRunner } from '../code/code-runner.ts'
import { messageText } from '../conversations/message-text.ts'
import { createWorkflowConversations } from '../conversations/run-conversations.ts'
import { NodeError, nodeErrors } from '../engine/node-error.ts'
import type { WorkflowDescription } from '../engine/node-services.ts'
import { createWorkflowPlugins } from '../plugins/workflow-plugins.ts'
import type { WorkflowPluginDeps } from '../plugins/workflow-plugins.ts'
import { createGlobalVariables } from '../services/run-variables.ts'
import type { VariablesContext } from '../services/run-variables.ts'
import type { GlobalVariables } from '../services/global-variables.ts'
import type { UserTableHouse } from '../tables/owner-tables.ts'
import type { WorkflowCatalog } from '../workflow-catalog.ts'
import type { RunState, WorkflowRunDeps } from './execute-workflow-run.ts'
import type { WorkflowRun } from './workflow-run.ts'

export type RunServicesDeps = {
  db: Db
  clock: Clock
  nextId: NextId
  models: Pick<ModelRegistry, 'getAdapterById'>
  fetch: GuardedFetch
  code: CodeRunner
  toolSets: WorkflowPluginDeps['toolSets']
  tables: UserTableHouse
  catalog: WorkflowCatalog
}

/** What the nodes of a run reach of the world outside, in the name of the run's owner. */
export function createServicesFor(deps: RunServicesDeps): WorkflowRunDeps['servicesFor'] {
  return (run, state) => {
    const { appId, botId, endUser, chat } = run
    const who = { userId: run.ownerId, keyId: run.keyId }
    const scope = { who, appId, botId, endUser, conversationId: chat?.conversationId }
    const isChatflow = chat !== undefined
    return {
      context: { who, runId: run.id, workflowId: run.workflowId, appId, botId, endUser, isChatflow, fileNames: state.fileNames },
      clock: deps.clock,
      getModel: deps.models.getAdapterById,
      getHistory: (rounds) => readHistory(deps.db, run, rounds),
      fetch: deps.fetch,
      code: deps.code,
      plugins: createWorkflowPlugins(deps, who),
      variables: openVariables(deps, scope, state),
      conversations: createWorkflowConversations(deps, { ...scope, chatId: isChatflow ? (chat.chatId ?? run.id) : undefined }),
      tables: deps.tables.open(who, { endUser }),
      describeWorkflow: (workflowId, version) => describeWorkflow(deps, run, { workflowId, version }),
    }
  }
}

/** What is written is kept with the run's state. */
function openVariables(deps: RunServicesDeps, scope: VariablesContext, { variables: before, saveVariables }: RunState): GlobalVariables {
  const variables = createGlobalVariables(deps, scope, before)
  return {
    read: variables.read,
    async write(...change) {
      await variables.write(...change)
      saveVariables(variables.snapshot())
    },
  }
}

/** Rounds of the chat's conversation that are older than its question, as texts. */
async function readHistory(db: Db, { id, chat }: WorkflowRun, rounds: number): Promise<ModelMessage[]> {
  if (!chat || rounds <= 0) return []
  const { conversationId, sectionId, firstMessageId, chatId, earlier = [] } = chat
  const place = { conversationId, sectionId, beforeId: firstMessageId, beforeRunId: chatId ?? id }
  const stored = await listHistory(db, { ...place, rounds })
  return newestRounds([...stored.map((message) => ({ role: message.role, content: messageText(message) })), ...earlier], rounds)
}

/** A round begins with what a user says. */
function newestRounds(messages: ModelMessage[], rounds: number): ModelMessage[] {
  const starts = messages.flatMap(({ role }, at) => (role === 'user' ? [at] : []))
  return messages.slice(starts.at(-rounds) ?? 0)
}

async function describeWorkflow(
  { catalog }: RunServicesDeps,
  { ownerId, keyId }: WorkflowRun,
  { workflowId, version }: { workflowId: string; version: string },
): Promise<WorkflowDescription> {
  try {
    const { name, description, inputs, outputs, isAnswer } = await catalog.get({ userId: ownerId, keyId }, workflowId, version)
    return { name, description, inputs, outputs, isAnswer }
  } catch (cause) {
    if (cause instanceof AppError) throw new NodeError(nodeErrors.workflowNotFound, cause.message, { cause })
    throw cause
  }
}
