import { saveApp } from '../../src/bots/apps.ts'
import type { ConversationDeps } from '../../src/conversations/conversations.ts'
import type { Db } from '../../src/db/database.ts'
import { createSnowflake } from '../../src/lib/snowflake.ts'
import { createWorkflowConversations } from '../../src/workflows/conversations/run-conversations.ts'
import type { ConversationContext } from '../../src/workflows/conversations/workflow-conversations.ts'
import type { NodeType } from '../../src/workflows/engine/node-type.ts'
import type { ValueObject } from '../../src/workflows/values/value.ts'
import { runNode } from './node-run.ts'

export const OWNER = { userId: '1' }
export const APP_ID = '700001'

export type ConversationHouse = {
  deps: ConversationDeps
  /** The outputs of a node in a run of the owner's app for nobody in particular, unless `context` says otherwise. */
  run(type: NodeType<undefined>, inputs: ValueObject, context?: Partial<ConversationContext>): Promise<ValueObject>
}

/** An owner with an app that declares the conversation `orders`, and real conversations for the nodes. */
export async function createConversationHouse(db: Db): Promise<ConversationHouse> {
  const clock = () => Date.UTC(2026, 0, 1)
  const deps = { db, clock, nextId: createSnowflake(1, clock) }
  const faces = { name: 'shop', description: '', iconUrl: '', version: '1.0.0', variables: [] }
  await saveApp(deps, OWNER, { id: APP_ID, ...faces, conversations: ['orders'] })

  return {
    deps,
    async run(type, inputs, context = {}) {
      const conversations = createWorkflowConversations(deps, { who: OWNER, appId: APP_ID, endUser: '', ...context })
      const { result } = await runNode(type, {}, { inputs, services: { conversations } })
      if (result.kind !== 'done') throw new Error(`the node is ${result.kind}`)
      return result.outputs
    },
  }
}
