import { createKey } from '../accounts/api-keys.ts'
import { ensureAdmin } from '../accounts/users.ts'
import { appendAuditEntry } from '../audit/audit-log.ts'
import { botConfigSchema } from '../bots/bot-config.ts'
import { findBot } from '../bots/bot-store.ts'
import { createBot, publishBot } from '../bots/bots.ts'
import type { Core } from '../core.ts'
import { saveModel } from '../models/model-store.ts'

/** What the first start made, to be shown once. */
export type FirstRun = { email: string; generatedPassword: string | undefined; apiKey: string | undefined; botId: string }

/** The bot that answers right after the first start, with the id that the guide's samples use. */
const DEMO_BOT_ID = '123456'

/**
 * Makes an empty installation usable: an administrator, a published bot and a key. Later starts
 * change nothing but the model of the environment, which always is what the environment says.
 */
export async function firstRun(core: Core): Promise<FirstRun | undefined> {
  const { config, db, clock, secrets } = core
  if (config.openai) {
    const { apiKey, baseUrl, model } = config.openai
    await saveModel(core, { name: 'default', protocol: 'openai', baseUrl, apiKey, providerModel: model })
  }

  const admin = await ensureAdmin({ db, clock }, config.admin)
  if (!admin) return undefined

  const who = { userId: admin.user.id }
  if (!(await findBot(db, DEMO_BOT_ID))) {
    await createBot(core, who, {
      id: DEMO_BOT_ID,
      name: 'Demo assistant',
      description: 'Answers the first call to a new installation',
      iconUrl: '',
      config: botConfigSchema.parse({
        prompt: 'You are a helpful assistant.',
        model: 'default',
        onboarding: { prologue: 'Hello! What can I do for you?' },
      }),
    })
    await publishBot(core, who, { botId: DEMO_BOT_ID, version: '0.1.0' })
  }
  const { key, secret } = await createKey({ db, secrets, clock, forgetKey: () => undefined }, who, { name: 'First key', expiry: {} })
  const actor = { kind: 'system', address: '' } as const
  await appendAuditEntry(core, {
    actor,
    action: 'user.set_up',
    target: { kind: 'user', id: who.userId },
    details: { email: admin.user.email },
  })
  await appendAuditEntry(core, { actor, action: 'key.create', target: { kind: 'key', id: key.id }, details: { name: key.name } })
  return { email: admin.user.email, generatedPassword: admin.generatedPassword, apiKey: secret, botId: DEMO_BOT_ID }
}
