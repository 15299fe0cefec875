import { openDatabase } from '../../src/db/database.ts'
import type { DatabaseLocation } from '../../src/db/database.ts'
import { createGuardedFetch } from '../../src/lib/guarded-fetch.ts'
import { createSecretBox } from '../../src/lib/secret-box.ts'
import { createWebhookSender } from '../../src/webhooks/webhook-sender.ts'

/** `node webhook-sender-process.ts <database location as JSON> <time it thinks it is>`: a server's sender alone, for tests that kill it. */
const [location = '', now = ''] = process.argv.slice(2)

const sender = createWebhookSender({
  db: await openDatabase(JSON.parse(location) as DatabaseLocation),
  clock: () => Number(now),
  secrets: createSecretBox('master'),
  fetch: createGuardedFetch({ allowedCidrs: ['127.0.0.1/32'] }),
  onError: (cause) => console.error(cause),
})
sender.start()
setInterval(() => undefined, 1_000)
