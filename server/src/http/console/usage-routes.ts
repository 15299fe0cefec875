import type { FastifyReply } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import type { Principal } from '../../accounts/principal.ts'
import type { Measures as StoredMeasures } from '../../usage/measures.ts'
import { reportUsage } from '../../usage/usage-report.ts'
import type { UsageDeps, UsageReport, UsageRequest } from '../../usage/usage-report.ts'
import { contentDisposition } from '../file-reply.ts'
import { success } from '../success-reply.ts'
import { usageCsvQuery, usageQuery } from './usage-wire.ts'
import type { Measures, Usage } from './usage-wire.ts'

export type UsageServices = UsageDeps

/** Who has used what: as numbers for charts, and as a table to take along. */
export const usageRoutes =
  (services: UsageServices): FastifyPluginAsyncZod =>
  async (http) => {
    http.get('/api/console/usage', { config, schema: { querystring: usageQuery } }, async (request, reply) => {
      const wanted = toUsageRequest(request.principal, request.query)
      return success(request, toUsage(wanted, await reportUsage(services, wanted, untilGone(reply))))
    })

    http.get('/api/console/usage.csv', { config, schema: { querystring: usageCsvQuery } }, async (request, reply) => {
      const { by, ...query } = request.query
      const wanted = toUsageRequest(request.principal, query)
      const usage = toUsage(wanted, await reportUsage(services, wanted, untilGone(reply)))
      reply.header('content-disposition', contentDisposition('attachment', `usage-by-${by}.csv`))
      return reply.type('text/csv; charset=utf-8').send(toCsv(rowsOf(usage, by)))
    })
  }

const config = { auth: 'session' } as const

function toUsageRequest({ userId: ownerId }: Principal, query: z.output<typeof usageQuery>): UsageRequest {
  const { from, to, bucket, offset_minutes: offsetMinutes, kind, agent_id: agentId, workflow_id: workflowId, key_id: keyId } = query
  return { ownerId, kind, from, to, bucket, offsetMinutes, subjectId: kind === 'chat' ? agentId : workflowId, keyId }
}

/** A long report is not worked on for somebody who has left. */
function untilGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => controller.abort())
  return controller.signal
}

function toUsage({ kind }: UsageRequest, { total, buckets, subjects, keys }: UsageReport): Usage {
  const isChat = kind === 'chat'
  return {
    total: toMeasures(total),
    buckets: buckets.map(({ from, to, ...measures }) => ({ from, to, ...toMeasures(measures) })),
    by_agent: isChat ? subjects.map(({ id, name, ...measures }) => ({ agent_id: id, name, ...toMeasures(measures) })) : null,
    by_workflow: isChat ? null : subjects.map(({ id, name, ...measures }) => ({ workflow_id: id, name, ...toMeasures(measures) })),
    by_key: keys.map(({ id, name, lastFour, isDeleted, ...measures }) => ({
      ...{ key_id: id, name, last_four: lastFour, is_deleted: isDeleted },
      ...toMeasures(measures),
    })),
  }
}

function toMeasures({ calls, errors, canceled, open, inputTokens, outputTokens, latencyMs, firstTokenMs }: StoredMeasures): Measures {
  return {
    ...{ calls, errors, canceled, open, input_tokens: inputTokens, output_tokens: outputTokens },
    ...{ latency_p50_ms: latencyMs.p50 ?? null, latency_p95_ms: latencyMs.p95 ?? null },
    ...{ first_token_p50_ms: firstTokenMs.p50 ?? null, first_token_p95_ms: firstTokenMs.p95 ?? null },
  }
}

type CsvRow = Record<string, string | number | boolean | null>

function rowsOf(usage: Usage, by: z.output<typeof usageCsvQuery>['by']): CsvRow[] {
  if (by === 'time') return usage.buckets.map(({ from, to, ...measures }) => ({ from: toIso(from), to: toIso(to), ...measures }))
  return (by === 'key' ? usage.by_key : (usage.by_agent ?? usage.by_workflow)) ?? []
}

const toIso = (time: number) => new Date(time).toISOString()

/** With the mark by which spreadsheets know UTF-8. */
function toCsv(rows: CsvRow[]): string {
  const columns = Object.keys(rows[0] ?? {})
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column] ?? null))]
  return `\uFEFF${lines.map((line) => `${line.map(toCell).join(',')}\r\n`).join('')}`
}

/** @NOTE a spreadsheet takes a text that begins with one of these for a formula, and names come from users */
function toCell(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return value === null ? '' : String(value)
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
