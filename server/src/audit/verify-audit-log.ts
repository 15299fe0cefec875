import { createAuditSeals } from './audit-entry.ts'
import type { AuditSeals } from './audit-entry.ts'
import { findAuditHead, listAuditLinks } from './audit-store.ts'
import type { StoredHead, StoredLink } from './audit-store.ts'
import type { AuditDeps } from './audit-log.ts'

/** `entryId` is the first entry that is not as it was written; a message for the operator says what is wrong with it. */
export type AuditVerdict =
  { isWhole: true; entries: number; hash: string } | { isWhole: false; entryId: string; problem: AuditProblem; message: string }
export type AuditProblem = 'altered' | 'missing' | 'cut_short' | 'head_altered'

/** Walks the whole chain in pages; entries may be added meanwhile. */
export async function verifyAuditLog({ db, secrets }: Pick<AuditDeps, 'db' | 'secrets'>): Promise<AuditVerdict> {
  const seals = createAuditSeals(secrets)
  const head = await findAuditHead(db)
  if (!head || !isHeadWhole(seals, head)) return broken('0', 'head_altered', 'the row that says how the log ends was changed or removed')

  let last = { id: '0', hash: '' }
  for (let after = BEFORE_ALL; ; after = last.id) {
    const links = await listAuditLinks(db, { after, limit: PAGE })
    for (const link of links) {
      const problem = problemOf(seals, link, last)
      if (problem) return problem
      if (Number(link.id) === head.entries && link.hash !== head.hash) return alteredAt(link.id)
      last = link
    }
    if (links.length < PAGE) break
  }

  const entries = Number(last.id)
  if (entries >= head.entries) return { isWhole: true, entries, hash: last.hash }
  const missing = head.entries - entries
  return broken(
    String(entries + 1),
    'cut_short',
    `the end of the log is missing: ${missing} of ${head.entries} entries, from ${entries + 1} on`,
  )
}

const PAGE = 500
// a row that was put in may have any number
const BEFORE_ALL = String(-(2n ** 63n))

function isHeadWhole(seals: AuditSeals, { seal, ...head }: StoredHead): boolean {
  const isNew = head.entries === 0 && head.hash === '' && seal === ''
  return isNew || seals.sealOf(head) === seal
}

function problemOf(seals: AuditSeals, link: StoredLink, last: { id: string; hash: string }): AuditVerdict | undefined {
  const wanted = Number(last.id) + 1
  if (Number(link.id) > wanted) return broken(String(wanted), 'missing', `entry ${wanted} is missing`)
  return link.prevHash === last.hash && seals.hashOf(link) === link.hash ? undefined : alteredAt(link.id)
}

const alteredAt = (id: string) => broken(id, 'altered', `entry ${id} is not what was written: it was changed, moved or put in`)

const broken = (entryId: string, problem: AuditProblem, message: string): AuditVerdict => ({ isWhole: false, entryId, problem, message })
