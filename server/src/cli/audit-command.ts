import { Command, Option } from 'commander'
import { ACTOR_KINDS } from '../audit/audit-entry.ts'
import type { ActorKind, AuditEntry } from '../audit/audit-entry.ts'
import { listAuditLog } from '../audit/audit-log.ts'
import { verifyAuditLog } from '../audit/verify-audit-log.ts'
import { AppError } from '../lib/app-error.ts'
import { print, printJson, printTable, toDate, withCore } from './command-core.ts'

const LISTED = 100
const MOST_LISTED = 10_000

export const auditCommand = () =>
  new Command('audit')
    .description('See who changed what, and whether that record is whole')
    .addCommand(listCommand())
    .addCommand(verifyCommand())

type ListOptions = { actor?: string; actorKind?: ActorKind; action?: string; since?: string; limit?: string; json?: boolean }

const listCommand = () =>
  new Command('list')
    .description('List what was done, newest first')
    .option('--actor <user_id>', 'only by this user')
    .addOption(new Option('--actor-kind <kind>', 'only so').choices(ACTOR_KINDS))
    .option('--action <action>', 'only this action, such as agent.publish; agent. is every one that begins so')
    .option('--since <time>', 'only from then on, such as 2026-01-31 or 2026-01-31T12:00:00Z')
    .option('--limit <count>', `at most so many; ${LISTED} when absent`)
    .option('--json')
    .action(async (options: ListOptions) => {
      const { actor, actorKind, action, json } = options
      if (actor !== undefined && !/^\d{1,19}$/.test(actor))
        throw new AppError('invalid_request', `${actor} is no user id: see \`coze-plus users list\``)
      const filter = { actorUserId: actor, actorKind, action, from: toTime(options.since) }
      const size = toLimit(options.limit)
      await withCore(async (core) => {
        const { entries } = await listAuditLog(core, { ...filter, page: 1, size })
        if (json) printJson(entries.map(toJson))
        else printTable(entries.map(toRow), 'Nothing of that kind is recorded.')
      })
    })

const verifyCommand = () =>
  new Command('verify')
    .description('Check that no entry was changed, taken out, put in or moved; says which is the first, and ends with 1')
    .option('--json')
    .action(async (options: { json?: boolean }) =>
      withCore(async (core) => {
        const verdict = await verifyAuditLog(core)
        if (!verdict.isWhole) process.exitCode = 1
        if (!options.json)
          return print(verdict.isWhole ? `The audit log is whole: ${verdict.entries} entries.` : `BROKEN: ${verdict.message}.`)
        const { isWhole: whole, ...rest } = verdict
        printJson('entryId' in rest ? { whole, entry_id: rest.entryId, problem: rest.problem, message: rest.message } : { whole, ...rest })
      }),
    )

function toTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const time = Date.parse(text)
  if (Number.isNaN(time)) throw new AppError('invalid_request', '--since must be a time such as 2026-01-31 or 2026-01-31T12:00:00Z')
  return time
}

function toLimit(text: string | undefined): number {
  const limit = Number(text ?? LISTED)
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_LISTED)
    throw new AppError('invalid_request', `--limit must be a number from 1 to ${MOST_LISTED}`)
  return limit
}

const toRow = ({ id, at, actor, action, target, details }: AuditEntry) => ({
  ...{ id, at: toDate(at, ''), action, target: `${target.kind} ${target.id}` },
  by: [actor.kind, actor.userId && `user ${actor.userId}`, actor.keyId && `key ${actor.keyId}`].filter(Boolean).join(' '),
  ...{ from: actor.address, details: Object.keys(details).length === 0 ? '' : JSON.stringify(details) },
})

const toJson = ({ id, at, actor, action, target, details }: AuditEntry) => ({
  ...{ id, at, actor_kind: actor.kind, actor_user_id: actor.userId ?? null, key_id: actor.keyId ?? null, address: actor.address },
  ...{ action, target_kind: target.kind, target_id: target.id, details },
})
