import { Command, Option } from 'commander'
import { getUserByEmail } from '../accounts/users.ts'
import { AppError } from '../lib/app-error.ts'
import { webhookSecretOf } from '../webhooks/webhook-signature.ts'
import { insertReplay, listDeliveries } from '../webhooks/webhook-store.ts'
import type { WebhookDelivery, WebhookStatus } from '../webhooks/webhook-store.ts'
import { print, printJson, printTable, recordCommand, toDate, withCore } from './command-core.ts'

const STATUSES: WebhookStatus[] = ['pending', 'delivered', 'failed']
const LISTED = 200

export const webhooksCommand = () =>
  new Command('webhooks')
    .description('See what was sent when runs ended, and send it again')
    .addCommand(secretCommand())
    .addCommand(listCommand())
    .addCommand(replayCommand())

const secretCommand = () =>
  new Command('secret')
    .description("Print the secret that the user's receivers check signatures with")
    .requiredOption('--email <user>', "the owner of the bots' keys")
    .option('--json')
    .action(async (options: { email: string; json?: boolean }) =>
      withCore(async (core) => {
        const { db, secrets } = core
        const user = await getUserByEmail({ db }, options.email)
        const secret = webhookSecretOf(secrets, user.id)
        await recordCommand(core, { action: 'webhook.read_secret', target: { kind: 'user', id: user.id } })
        if (options.json) printJson({ user_id: user.id, webhook_secret: secret })
        else print(secret)
      }),
    )

const listCommand = () =>
  new Command('list')
    .description(`List the newest ${LISTED} deliveries`)
    .option('--email <owner>', "only those of this user's runs")
    .addOption(new Option('--status <status>', 'only those in this status').choices(STATUSES))
    .option('--json')
    .action(async (options: { email?: string; status?: WebhookStatus; json?: boolean }) =>
      withCore(async ({ db }) => {
        const ownerId = options.email === undefined ? undefined : (await getUserByEmail({ db }, options.email)).id
        const deliveries = await listDeliveries(db, { ownerId, status: options.status, limit: LISTED })
        if (options.json) printJson(deliveries.map(toJson))
        else printTable(deliveries.map(toRow), 'There are no such deliveries.')
      }),
    )

const replayCommand = () =>
  new Command('replay')
    .description('Send an event again, to the same address and with the same event id; a running server does it within a second')
    .argument('<delivery_id>')
    .option('--json')
    .action(async (id: string, options: { json?: boolean }) =>
      withCore(async (core) => {
        const { db, nextId, clock } = core
        const newId = nextId()
        const isThere = /^\d{1,19}$/.test(id) && (await insertReplay(db, { id, newId, now: clock() }))
        if (!isThere) throw new AppError('not_found', `there is no delivery ${id}: see \`coze-plus webhooks list\``)
        await recordCommand(core, { action: 'webhook.replay', target: { kind: 'delivery', id } })
        if (options.json) printJson({ id: newId })
        else print(`Delivery ${newId} is on its way.`)
      }),
    )

// an address may hold a token of its owner's: the list for the eyes shows only where it leads
const toRow = (delivery: WebhookDelivery) => ({
  id: delivery.id,
  event: delivery.eventType,
  run_id: delivery.runId,
  receiver: delivery.host,
  status: delivery.status,
  attempts: String(delivery.attempts),
  created: toDate(delivery.createdAt, ''),
  next_attempt: delivery.status === 'pending' ? toDate(delivery.nextAttemptAt, '') : '',
  last_error: delivery.lastError,
})

const toJson = (delivery: WebhookDelivery) => ({
  id: delivery.id,
  owner_id: delivery.ownerId,
  run_id: delivery.runId,
  event_id: delivery.eventId,
  event_type: delivery.eventType,
  url: delivery.url,
  status: delivery.status,
  attempts: delivery.attempts,
  next_attempt_at: delivery.status === 'pending' ? delivery.nextAttemptAt : null,
  last_status: delivery.lastStatus,
  last_error: delivery.lastError,
  created_at: delivery.createdAt,
  delivered_at: delivery.deliveredAt,
})
