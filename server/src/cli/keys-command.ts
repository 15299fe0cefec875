import { Command } from 'commander'
import { createKey, getKeyOfAnyUser, listKeys, listKeysOfAllUsers, revokeKeyOfAnyUser, updateKeyOfAnyUser } from '../accounts/api-keys.ts'
import type { ShownKey } from '../accounts/api-keys.ts'
import { rotateKeyOfAnyUser } from '../accounts/rotate-key.ts'
import { getUserByEmail } from '../accounts/users.ts'
import type { AuditDetails } from '../audit/audit-entry.ts'
import type { Core } from '../core.ts'
import { toShownPolicy } from '../http/key-policy-of-wire.ts'
import { AppError } from '../lib/app-error.ts'
import { print, printJson, printTable, recordCommand, toDate, withCore } from './command-core.ts'
import { toPolicyOption, withPolicyOptions } from './key-options.ts'
import type { PolicyOptions } from './key-options.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const PAGE = 1_000

export const keysCommand = () =>
  new Command('keys')
    .description('Manage API keys')
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(updateCommand())
    .addCommand(rotateCommand())
    .addCommand(switchCommand('disable', 'Refuse calls with a key until it is enabled again'))
    .addCommand(switchCommand('enable', 'Take calls with a key again'))
    .addCommand(revokeCommand())

const createCommand = () =>
  withPolicyOptions(new Command('create'))
    .description('Create an API key and print it: the only time it is seen')
    .requiredOption('--email <owner>', 'the user whose bots the key can call')
    .requiredOption('--name <name>')
    .option('--expire-days <days>', 'days until it expires; it never does without')
    .option('--json')
    .action(async (options: PolicyOptions & { email: string; name: string; expireDays?: string; json?: boolean }) =>
      withCore(async (core) => {
        const policy = toPolicyOption(options)
        const owner = await getUserByEmail(core, options.email)
        const wanted = { name: options.name, expiry: { expire: expireMs(options.expireDays) }, policy }
        const { key, secret } = await createKey(keyDeps(core), { userId: owner.id }, wanted)
        await recordKey(core, { action: 'key.create', id: key.id, details: { name: key.name, owner: owner.id } })
        const shown = { id: key.id, name: key.name, api_key: secret, expired_at: key.expiredAt }
        if (options.json) return printJson({ ...shown, ...(policy && { policy: toShownPolicy(policy) }) })
        print(secret)
        print(
          `Key ${key.id} (${key.name}) of ${owner.email}, expires: ${toDate(key.expiredAt, 'never')}. Keep it safe: it cannot be shown again.`,
        )
      }),
    )

const showCommand = () =>
  new Command('show')
    .description('Show what a key may do, and which secrets it has')
    .argument('<id>')
    .option('--json')
    .action(async (id: string, options: { json?: boolean }) =>
      withCore(async (core) => printKey(await getKeyOfAnyUser(keyDeps(core), toKeyId(id)), options)),
    )

const updateCommand = () =>
  withPolicyOptions(new Command('update'))
    .description('Change what a key may do: a flag changes its own limit, and takes it away with the word any')
    .argument('<id>')
    .option('--name <name>')
    .option('--expire-days <days>', 'days from now, or never')
    .option('--json')
    .action(async (id: string, options: PolicyOptions & { name?: string; expireDays?: string; json?: boolean }) =>
      withCore(async (core) => {
        const deps = keyDeps(core)
        const { policy } = await getKeyOfAnyUser(deps, toKeyId(id))
        const { name, expireDays } = options
        const expiry = expireDays === undefined ? {} : { expire: expireMs(expireDays === 'never' ? undefined : expireDays) }
        await updateKeyOfAnyUser(deps, { keyId: id, name, expiry, policy: toPolicyOption(options, policy) })
        await recordKey(core, { action: 'key.update', id, details: name === undefined ? {} : { name } })
        printKey(await getKeyOfAnyUser(deps, id), options)
      }),
    )

const rotateCommand = () =>
  new Command('rotate')
    .description('Give a key a new secret and print it: the only time it is seen')
    .argument('<id>')
    .option('--overlap-seconds <seconds>', 'how long the secret of now stays valid', '0')
    .option('--json')
    .action(async (id: string, options: { overlapSeconds: string; json?: boolean }) =>
      withCore(async (core) => {
        const wanted = { keyId: toKeyId(id), overlapSeconds: Number(options.overlapSeconds) }
        const { key, secret } = await rotateKeyOfAnyUser(keyDeps(core), wanted)
        await recordKey(core, { action: 'key.rotate', id: key.id })
        if (options.json) return printJson({ ...toShownKey(key), api_key: secret })
        print(secret)
        print(`Key ${key.id} (${key.name}). Keep it safe: it cannot be shown again.`)
      }),
    )

const switchCommand = (name: 'disable' | 'enable', description: string) =>
  new Command(name)
    .description(description)
    .argument('<id>')
    .option('--json')
    .action(async (id: string, options: { json?: boolean }) =>
      withCore(async (core) => {
        const deps = keyDeps(core)
        await updateKeyOfAnyUser(deps, { keyId: toKeyId(id), expiry: {}, disabled: name === 'disable' })
        // as over HTTP: one way to ask the log for it
        await recordKey(core, { action: 'key.update', id, details: { disabled: name === 'disable' } })
        printKey(await getKeyOfAnyUser(deps, id), options)
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
        await revokeKeyOfAnyUser(keyDeps(core), toKeyId(id))
        await recordKey(core, { action: 'key.delete', id })
        if (options.json) printJson({ id, revoked: true })
        else print(`Revoked key ${id}.`)
      }),
    )

const recordKey = (core: Core, { action, id, details = {} }: { action: string; id: string; details?: AuditDetails }) =>
  recordCommand(core, { action, target: { kind: 'key', id }, details })

function toKeyId(id: string): string {
  if (!/^\d{1,19}$/.test(id)) throw new AppError('invalid_request', `${id} is no key id: see \`coze-plus keys list\``)
  return id
}

function toShownKey({ id, name, userId, lastFour, policy, disabledAt, expiredAt, lastUsedAt, oldSecrets = [] }: ShownKey) {
  return {
    ...{ id, name, key: `pat_****${lastFour}`, user_id: userId, disabled: disabledAt !== undefined },
    ...{ expires: toDate(expiredAt, 'never'), last_used: toDate(lastUsedAt, 'never'), policy: policy ? toShownPolicy(policy) : null },
    old_secrets: oldSecrets.map((secret) => ({
      ...{ last4: secret.lastFour, valid_until: toDate(secret.validUntil, 'never'), last_used: toDate(secret.lastUsedAt, 'never') },
    })),
  }
}

function printKey(key: ShownKey, { json }: { json?: boolean }): void {
  const { policy, old_secrets: oldSecrets, ...shown } = toShownKey(key)
  if (json) return printJson(toShownKey(key))
  const limits = Object.entries<unknown>(policy ?? {}).filter(([, value]) => value !== undefined)
  for (const [name, value] of [...Object.entries(shown), ...limits])
    print(`${name}: ${Array.isArray(value) ? value.join(', ') || 'none' : String(value)}`)
  for (const { last4, valid_until: until, last_used: used } of oldSecrets)
    print(`old secret ****${last4}: valid until ${until}, last used ${used}`)
}

// another process's memory of a key ends by itself within a second
const keyDeps = ({ db, secrets, clock }: Core) => ({ db, secrets, clock, forgetKey: () => undefined })

function expireMs(days: string | undefined): number {
  if (days === undefined) return 0
  const number = Number(days)
  if (!Number.isFinite(number) || number <= 0 || number > 3650)
    throw new AppError('invalid_request', '--expire-days must be a number of days from 1 to 3650')
  return Math.round(number * DAY_MS)
}
