import { Command } from 'commander'
import { createKey, listKeys, listKeysOfAllUsers, revokeKeyOfAnyUser } from '../accounts/api-keys.ts'
import { getUserByEmail } from '../accounts/users.ts'
import type { Core } from '../core.ts'
import { AppError } from '../lib/app-error.ts'
import { print, printJson, printTable, recordCommand, toDate, withCore } from './command-core.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const PAGE = 1_000

export const keysCommand = () =>
  new Command('keys').description('Manage API keys').addCommand(createCommand()).addCommand(listCommand()).addCommand(revokeCommand())

const createCommand = () =>
  new Command('create')
    .description('Create an API key and print it: the only time it is seen')
    .requiredOption('--email <owner>', 'the user whose bots the key can call')
    .requiredOption('--name <name>')
    .option('--expire-days <days>', 'days until it expires; it never does without')
    .option('--json')
    .action(async (options: { email: string; name: string; expireDays?: string; json?: boolean }) =>
      withCore(async (core) => {
        const owner = await getUserByEmail(core, options.email)
        const { key, secret } = await createKey(
          keyDeps(core),
          { userId: owner.id },
          { name: options.name, expiry: { expire: expireMs(options.expireDays) } },
        )
        await recordCommand(core, {
          action: 'key.create',
          target: { kind: 'key', id: key.id },
          details: { name: key.name, owner: owner.id },
        })
        if (options.json) return printJson({ id: key.id, name: key.name, api_key: secret, expired_at: key.expiredAt })
        print(secret)
        print(
          `Key ${key.id} (${key.name}) of ${owner.email}, expires: ${toDate(key.expiredAt, 'never')}. Keep it safe: it cannot be shown again.`,
        )
      }),
    )

const listCommand = () =>
  new Command('list')
    .description('List the keys that are not revoked')
    .option('--email <owner>', 'only the keys of this user')
    .option('--json')
    .action(async (options: { email?: string; json?: boolean }) =>
      withCore(async ({ db, clock }) => {
        const page = { page: 1, size: PAGE }
        const { keys } =
          options.email === undefined
            ? await listKeysOfAllUsers({ db, clock }, page)
            : await listKeys({ db, clock }, { userId: (await getUserByEmail({ db }, options.email)).id }, page)
        const rows = keys.map((key) => ({
          id: key.id,
          name: key.name,
          key: `pat_****${key.lastFour}`,
          user_id: key.userId,
          expires: toDate(key.expiredAt, 'never'),
          last_used: toDate(key.lastUsedAt, 'never'),
        }))
        if (options.json) printJson(rows)
        else printTable(rows, 'There are no API keys yet: create one with `coze-plus keys create`.')
      }),
    )

const revokeCommand = () =>
  new Command('revoke')
    .description('Revoke a key: calls with it are refused from the next second on')
    .argument('<id>')
    .option('--json')
    .action(async (id: string, options: { json?: boolean }) =>
      withCore(async (core) => {
        if (!/^\d{1,19}$/.test(id)) throw new AppError('invalid_request', `${id} is no key id: see \`coze-plus keys list\``)
        await revokeKeyOfAnyUser(keyDeps(core), id)
        await recordCommand(core, { action: 'key.delete', target: { kind: 'key', id } })
        if (options.json) printJson({ id, revoked: true })
        else print(`Revoked key ${id}.`)
      }),
    )

// another process's memory of a key ends by itself within a second
const keyDeps = ({ db, secrets, clock }: Core) => ({ db, secrets, clock, forgetKey: () => undefined })

function expireMs(days: string | undefined): number {
  if (days === undefined) return 0
  const number = Number(days)
  if (!Number.isFinite(number) || number <= 0 || number > 3650)
    throw new AppError('invalid_request', '--expire-days must be a number of days from 1 to 3650')
  return Math.round(number * DAY_MS)
}
