import type { Principal } from '../../accounts/principal.ts'
import type { Clock } from '../../lib/clock.ts'
import type { GuardedFetch } from '../../lib/guarded-fetch.ts'
import type { ModelAdapter, ModelMessage } from '../../models/model-adapter.ts'
import type { CodeRunner } from '../code/code-runner.ts'
import type { WorkflowConversations } from '../conversations/workflow-conversations.ts'
import type { WorkflowPlugins } from '../plugins/workflow-plugins.ts'
import type { GlobalVariables } from '../services/global-variables.ts'
import type { UserTables } from '../tables/user-tables.ts'
import type { Field } from '../values/value-type.ts'

/** All of the world outside that nodes may use, made for one run and in the name of its owner. */
export type NodeServices = {
  context: RunContext
  clock: Clock
  /** By the number a canvas calls `modelType`; one that is not set up means the default model. Rejects with a ModelError. */
  getModel(modelType: string): Promise<ModelAdapter>
  /** Earlier rounds of the run's conversation, oldest first; none outside a chatflow. */
  getHistory(rounds: number): Promise<ModelMessage[]>
  /** For URLs that users give. */
  fetch: GuardedFetch
  code: CodeRunner
  plugins: WorkflowPlugins
  variables: GlobalVariables
  conversations: WorkflowConversations
  tables: UserTables
  /** What another workflow of the same owner is, to offer it to a model. Rejects with a NodeError. */
  describeWorkflow(workflowId: string, version: string): Promise<WorkflowDescription>
}

export type RunContext = {
  /** Who owns the workflow and pays for the run. */
  who: Principal
  runId: string
  workflowId: string
  appId?: string
  botId?: string
  /** The caller's own user id; empty when none was given. */
  endUser: string
  isChatflow: boolean
  /** Names of files by the URL under which nodes see them. */
  fileNames: Map<string, string>
}

export type WorkflowDescription = { name: string; description: string; inputs: Field[]; outputs: Field[]; isAnswer: boolean }
