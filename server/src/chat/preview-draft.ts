import type { Principal } from '../accounts/principal.ts'
import { createDraftBots } from '../bots/draft-bots.ts'
import { PREVIEW_CONNECTOR_ID } from '../conversations/conversation-store.ts'
import { getConversation } from '../conversations/conversations.ts'
import type { InputMessage } from '../conversations/conversations.ts'
import { AppError } from '../lib/app-error.ts'
import { startRun } from './start-run.ts'
import type { StartRunDeps, StartedRun } from './start-run.ts'

export type PreviewRequest = {
  botId: string
  message: InputMessage
  /** Of an earlier preview of this bot. */
  conversationId?: string
  variables: Record<string, string>
}

/**
 * A chat with the draft as it is now, for its builder. It runs as any other chat and counts as a test: its conversation is in no list
 * of the API, and no webhook hears of it.
 */
export async function previewDraft(
  deps: StartRunDeps,
  who: Principal,
  { botId, message, conversationId, variables }: PreviewRequest,
): Promise<StartedRun> {
  if (conversationId !== undefined) await assertPreview(deps, who, conversationId)
  return startRun({ ...deps, publishedBots: withoutWebhook(createDraftBots(deps)) }, who, {
    ...{ botId, conversationId, variables, messages: [message], connectorId: PREVIEW_CONNECTOR_ID },
    ...{ functions: [], metaData: {}, messageMeta: {}, clientStyle: 'sdk', stream: true, ifBusy: 'reject', savesHistory: true },
  })
}

/** Whoever uses the API must not find the builder's tries among what their end users have said. */
async function assertPreview(deps: StartRunDeps, who: Principal, conversationId: string): Promise<void> {
  const { connectorId } = await getConversation(deps, who, conversationId)
  if (connectorId !== PREVIEW_CONNECTOR_ID) throw new AppError('not_found', 'conversation not found: it is none of a preview')
}

const withoutWebhook = (bots: StartRunDeps['publishedBots']): StartRunDeps['publishedBots'] => ({
  async get(who, botId) {
    const bot = await bots.get(who, botId)
    return { ...bot, config: { ...bot.config, webhookUrl: '' } }
  },
})
