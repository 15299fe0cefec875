import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import { DRAFT_VERSION_ID } from '../../bots/bot-config.ts'
import type { PreviewRequest } from '../../chat/preview-draft.ts'
import type { Run } from '../../chat/run-store.ts'
import type { StartedRun } from '../../chat/start-run.ts'
import type { InputMessage } from '../../conversations/conversations.ts'
import { AppError } from '../../lib/app-error.ts'
import { sendChat } from '../open/chat-reply.ts'
import type { ChatServices } from '../open/open-chat.ts'
import { idField } from '../open/open-fields.ts'
import { success } from '../success-reply.ts'
import { previewAddressSchema, previewOutputsSchema, previewSchema, previewStreamQuery } from './preview-wire.ts'
import type { PreviewChat } from './preview-wire.ts'

export type PreviewServices = Pick<ChatServices, 'getRun' | 'cancelRun' | 'submitToolOutputs' | 'followRun' | 'streams'> & {
  previewDraft(who: Principal, request: PreviewRequest): Promise<StartedRun>
}

/** Chats with drafts. Their streams have the events of `/v3/chat`. */
export const previewRoutes =
  (services: PreviewServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.post(PREVIEW, { config: { ...config, audit: 'none' }, schema: { params, body: previewSchema } }, async (request) => {
      const { query, files, conversation_id: conversationId, variables } = request.body
      const wanted = { botId: request.params.id, message: toMessage(query, files), conversationId, variables }
      const { run } = await services.previewDraft(request.principal, wanted)
      return success(request, toChat(run))
    })

    http.get(`${PREVIEW}/stream`, { config, schema: { params, querystring: previewStreamQuery } }, async (request, reply) => {
      const run = await getPreview(services, request.principal, { botId: request.params.id, ...request.query })
      // EventSource comes back with the last id that it has seen
      const cursor = cursorOf(request.headers['last-event-id']) ?? request.query.starting_after ?? 0
      return sendChat(services, reply, { run, cursor, style: 'sdk', withIds: true })
    })

    http.post(
      `${PREVIEW}/tool-outputs`,
      { config: { ...config, audit: 'none' }, schema: { params, body: previewOutputsSchema } },
      async (request) => {
        const { tool_outputs: given, ...address } = request.body
        const { id: runId, conversationId } = await getPreview(services, request.principal, { botId: request.params.id, ...address })
        const outputs = given.map((each) => ({ toolCallId: each.tool_call_id, output: each.output }))
        const going = await services.submitToolOutputs(request.principal, { address: { runId, conversationId }, outputs, stream: true })
        return success(request, { ...toChat(going.run), cursor: going.cursor })
      },
    )

    http.post(
      `${PREVIEW}/cancel`,
      { config: { ...config, audit: 'none' }, schema: { params, body: previewAddressSchema } },
      async (request) => {
        const { id: runId, conversationId } = await getPreview(services, request.principal, { botId: request.params.id, ...request.body })
        return success(request, toChat(await services.cancelRun(request.principal, { runId, conversationId })))
      },
    )
  }

const PREVIEW = '/api/console/agents/:id/preview'
const params = z.object({ id: idField })
const config = { auth: 'session' } as const

type Address = { botId: string; conversation_id: string; chat_id: string }

/** A chat of the API is no preview, though it may be of the same agent. */
async function getPreview(services: PreviewServices, who: Principal, address: Address): Promise<Run> {
  const run = await services.getRun(who, { runId: address.chat_id, conversationId: address.conversation_id })
  if (run.botId !== address.botId || run.botVersionId !== DRAFT_VERSION_ID) throw new AppError('not_found', 'chat not found')
  return run
}

function toMessage(query: string, files: { id: string; type: 'image' | 'file' }[]): InputMessage {
  if (files.length === 0) return { role: 'user', content: query, contentType: 'text' }
  const parts = [...files.map(({ id, type }) => ({ type, file_id: id })), { type: 'text', text: query }]
  return { role: 'user', content: JSON.stringify(parts), contentType: 'object_string' }
}

const toChat = (run: Run): PreviewChat => ({ chat_id: run.id, conversation_id: run.conversationId })

export function cursorOf(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : undefined
}
