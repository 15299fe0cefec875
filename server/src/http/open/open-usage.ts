import type { FastifyReply } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import type { Measures } from '../../usage/measures.ts'
import { reportUsage } from '../../usage/usage-report.ts'
import type { UsageDeps, UsageReport } from '../../usage/usage-report.ts'
import { success, successSchema } from '../success-reply.ts'
import { toSeconds } from './open-fields.ts'

export type UsageServices = UsageDeps

const TIME_RULE = 'must be a time in Unix seconds'
const timeField = z.coerce.number(TIME_RULE).int(TIME_RULE).min(0, TIME_RULE).max(4_102_444_800, TIME_RULE)

const querySchema = z.object({
  from: timeField,
  to: timeField,
  group: z.enum(['key', 'bot', 'workflow', 'day'], 'must be key, bot, workflow or day').default('day'),
  kind: z
    .enum(['chat', 'workflow'], 'must be chat or workflow')
    .default('chat')
    .describe('Chats, or runs of workflows that are no part of one. With `group` bot or workflow it is that.'),
})

const itemSchema = z.object({
  id: z.string().describe('Of the key, bot or workflow; of a day its date in UTC.'),
  name: z.string(),
  calls: z.number(),
  errors: z.number(),
  canceled: z.number(),
  open: z.number().describe('Going on or waiting now.'),
  input_tokens: z.number(),
  output_tokens: z.number(),
})

/** What was used between two times, of the bots and workflows that the key may use. */
export const usageRoutes =
  (services: UsageServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get(
      '/v1/usage',
      {
        config: { auth: 'key', action: ['read', 'manage'] },
        schema: {
          tags: ['Usage'],
          summary: 'Calls and tokens by key, bot, workflow or day',
          description: 'Of runs that began at `from` ≤ time < `to`, of all keys of the owner. At most 366 days.',
          querystring: querySchema,
          response: {
            200: successSchema(z.object({ items: z.array(itemSchema), total: itemSchema.omit({ id: true, name: true }) })),
          },
        },
      },
      async (request, reply) => {
        const { from, to, group } = request.query
        const kind = group === 'bot' ? 'chat' : group === 'workflow' ? 'workflow' : request.query.kind
        const range = { from: from * 1000, to: to * 1000, bucket: 'day', offsetMinutes: 0 } as const
        const wanted = { ...range, ownerId: request.principal.userId, kind, subjectIds: subjectsOf(request.principal, kind) }
        const report = await reportUsage(services, wanted, untilGone(reply))
        return success(request, { items: toItems(report, group), total: toNumbers(report.total) })
      },
    )
  }

const subjectsOf = ({ access }: Principal, kind: 'chat' | 'workflow') => (kind === 'chat' ? access?.botIds : access?.workflowIds)

/** A long report is not worked on for somebody who has left. */
function untilGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => controller.abort())
  return controller.signal
}

function toItems({ buckets, subjects, keys }: UsageReport, group: 'key' | 'bot' | 'workflow' | 'day'): z.infer<typeof itemSchema>[] {
  if (group === 'day') return buckets.map((each) => ({ id: dateOf(each.from), name: dateOf(each.from), ...toNumbers(each) }))
  return (group === 'key' ? keys : subjects).map((each) => ({ id: each.id, name: each.name, ...toNumbers(each) }))
}

const dateOf = (ms: number): string => new Date(toSeconds(ms) * 1000).toISOString().slice(0, 10)

const toNumbers = ({ calls, errors, canceled, open, inputTokens, outputTokens }: Measures) => ({
  ...{ calls, errors, canceled, open },
  ...{ input_tokens: inputTokens, output_tokens: outputTokens },
})
