import { sql } from 'kysely'
import type { Selectable } from 'kysely'
import { orConflict } from '../db/database.ts'
import type { Db } from '../db/database.ts'
import { toInList } from '../db/in-list.ts'
import type { WorkflowMode, WorkflowTable, WorkflowVersionTable } from '../db/tables.ts'
import { chatflowRoleSchema } from './chatflow-role.ts'
import type { ListedVersion, ListedWorkflow, Workflow, WorkflowDraft, WorkflowVersion } from './workflow-record.ts'

export async function findWorkflow(db: Db, workflowId: string): Promise<Workflow | undefined> {
  const row = await db.selectFrom('workflow').selectAll().where('id', '=', workflowId).executeTakeFirst()
  return row && toWorkflow(row)
}

/** The oldest of that name. */
export async function findWorkflowByName(db: Db, ownerId: string, name: string): Promise<Workflow | undefined> {
  const rows = await db
    .selectFrom('workflow')
    .select(['id', 'name'])
    .where('owner_id', '=', ownerId)
    .where('name', '=', name)
    .orderBy('id')
    .execute()

  // @NOTE MySQL takes names for the same that differ in case, accents or blanks at their end
  const exact = rows.find((row) => row.name === name)
  return exact && findWorkflow(db, String(exact.id))
}

/** What is to be known of a workflow before one of its canvases is read. */
export type WorkflowHead = {
  ownerId: string
  appId: string | undefined
  updatedAt: number
  /** Of the version that was asked for; undefined where there is none. */
  versionId: string | undefined
}

/** With the version of that name, or else with the live one. */
export async function findWorkflowHead(db: Db, workflowId: string, version: string | undefined): Promise<WorkflowHead | undefined> {
  const row = await db
    .selectFrom('workflow')
    .leftJoin('workflow_version', (join) =>
      version === undefined
        ? join.onRef('workflow_version.id', '=', 'workflow.live_version_id')
        : join.onRef('workflow_version.workflow_id', '=', 'workflow.id').on('workflow_version.version', '=', version),
    )
    .select([
      'workflow.owner_id',
      'workflow.app_id',
      'workflow.updated_at',
      'workflow_version.id as version_id',
      'workflow_version.version',
    ])
    .where('workflow.id', '=', workflowId)
    .executeTakeFirst()
  if (!row) return undefined

  // @NOTE MySQL takes "v1" and "v1 " for the same
  const isMeant = version === undefined || row.version === version
  return {
    ownerId: String(row.owner_id),
    appId: optionalId(row.app_id),
    updatedAt: row.updated_at,
    versionId: isMeant ? optionalId(row.version_id) : undefined,
  }
}

/** Throws `conflict` when the id is taken. */
export async function insertWorkflow(db: Db, workflow: Workflow): Promise<void> {
  const { id, ownerId, appId, liveVersionId, createdAt, updatedAt } = workflow
  const row = {
    ...{ id, owner_id: ownerId, app_id: appId ?? null, live_version_id: liveVersionId ?? null },
    ...{ created_at: createdAt, updated_at: updatedAt },
    ...toColumns(workflow),
  }
  const insertion = db.insertInto('workflow').values(row).execute()
  await orConflict(insertion, `workflow id ${id} is taken`)
}

/** Two changes within one millisecond are two changes: `updated_at` grows with each, whichever process makes it. */
export async function updateWorkflow(db: Db, workflow: Workflow): Promise<void> {
  await db
    .updateTable('workflow')
    .set({ ...toColumns(workflow), app_id: workflow.appId ?? null, updated_at: later(workflow.updatedAt) })
    .where('id', '=', workflow.id)
    .execute()
}

export async function setLiveWorkflowVersion(
  db: Db,
  workflowId: string,
  live: { versionId: string | undefined; now: number },
): Promise<void> {
  await db
    .updateTable('workflow')
    .set({ live_version_id: live.versionId ?? null, updated_at: later(live.now) })
    .where('id', '=', workflowId)
    .execute()
}

/** With all its versions. Runs stay. */
export async function deleteWorkflowRows(db: Db, workflowId: string): Promise<void> {
  await db.deleteFrom('workflow_version').where('workflow_id', '=', workflowId).execute()
  await db.deleteFrom('workflow').where('id', '=', workflowId).execute()
}

/** In a transaction: nobody else changes the workflow until it ends. As the first statement, it also makes later reads see the newest. */
export async function lockWorkflow(db: Db, workflowId: string): Promise<void> {
  await db
    .updateTable('workflow')
    .set((eb) => ({ updated_at: eb.ref('updated_at') }))
    .where('id', '=', workflowId)
    .execute()
}

const later = (now: number) => sql<number>`case when updated_at >= ${now} then updated_at + 1 else ${now} end`

export type WorkflowFilter = {
  /** Undefined: everybody's. */
  ownerId?: string
  appId?: string
  mode?: WorkflowMode
  isPublished?: boolean
  /** A part of the name. */
  search?: string
  /** None but these. */
  ids?: ReadonlySet<string>
}

/** Newest first. */
export async function listWorkflowRows(db: Db, filter: WorkflowFilter, page: { offset: number; limit: number }): Promise<ListedWorkflow[]> {
  const rows = await matching(db, filter)
    .select(['workflow.id', 'workflow.owner_id', 'workflow.app_id', 'workflow.name', 'workflow.description', 'workflow.icon_url'])
    .select(['workflow.mode', 'workflow.created_at', 'workflow.updated_at', 'live.version', 'live.created_at as published_at'])
    .orderBy('workflow.id', 'desc')
    .limit(page.limit)
    .offset(page.offset)
    .execute()

  return rows.map((row) => ({
    ...{ id: String(row.id), ownerId: String(row.owner_id), appId: optionalId(row.app_id) },
    ...{ name: row.name, description: row.description, iconUrl: row.icon_url, mode: row.mode },
    ...{ createdAt: row.created_at, updatedAt: row.updated_at },
    live: row.version === null ? undefined : { version: row.version, publishedAt: row.published_at ?? 0 },
  }))
}

export async function countWorkflows(db: Db, filter: WorkflowFilter): Promise<number> {
  const { total } = await matching(db, filter)
    .select((eb) => eb.fn.countAll().as('total'))
    .executeTakeFirstOrThrow()
  return Number(total)
}

function matching(db: Db, { ownerId, appId, mode, isPublished, search, ids }: WorkflowFilter) {
  return db
    .selectFrom('workflow')
    .leftJoin('workflow_version as live', 'live.id', 'workflow.live_version_id')
    .$if(ownerId !== undefined, (query) => query.where('workflow.owner_id', '=', ownerId ?? ''))
    .$if(ids !== undefined, (query) => query.where('workflow.id', 'in', toInList(ids)))
    .$if(appId !== undefined, (query) => query.where('workflow.app_id', '=', appId ?? ''))
    .$if(mode !== undefined, (query) => query.where('workflow.mode', '=', mode ?? 'workflow'))
    .$if(isPublished !== undefined, (query) => query.where('workflow.live_version_id', isPublished ? 'is not' : 'is', null))
    .$if(search !== undefined, (query) => query.where(sql<boolean>`workflow.name like ${containing(search ?? '')} escape '!'`))
}

const containing = (text: string): string => `%${text.replace(/[!%_]/g, '!$&')}%`

export async function findWorkflowVersion(db: Db, workflowId: string, version: string): Promise<WorkflowVersion | undefined> {
  const row = await db
    .selectFrom('workflow_version')
    .selectAll()
    .where('workflow_id', '=', workflowId)
    .where('version', '=', version)
    .executeTakeFirst()
  return row?.version === version ? toWorkflowVersion(row) : undefined
}

export async function findWorkflowVersionById(db: Db, versionId: string): Promise<WorkflowVersion | undefined> {
  const row = await db.selectFrom('workflow_version').selectAll().where('id', '=', versionId).executeTakeFirst()
  return row && toWorkflowVersion(row)
}

/** Newest first. */
export async function listVersionRows(db: Db, workflowId: string, page: { offset: number; limit: number }): Promise<ListedVersion[]> {
  const rows = await db
    .selectFrom('workflow_version')
    .select(['id', 'workflow_id', 'version', 'note', 'name', 'description', 'mode', 'created_at'])
    .where('workflow_id', '=', workflowId)
    .orderBy('id', 'desc')
    .limit(page.limit)
    .offset(page.offset)
    .execute()
  return rows.map(({ id, workflow_id: owner, created_at: createdAt, ...rest }) => ({
    ...{ ...rest, id: String(id), workflowId: String(owner), createdAt },
  }))
}

export async function countVersions(db: Db, workflowId: string): Promise<number> {
  const { total } = await db
    .selectFrom('workflow_version')
    .select((eb) => eb.fn.countAll().as('total'))
    .where('workflow_id', '=', workflowId)
    .executeTakeFirstOrThrow()
  return Number(total)
}

/** Throws `conflict` when the workflow has a version of that name. */
export async function insertWorkflowVersion(db: Db, version: WorkflowVersion): Promise<void> {
  const { id, workflowId, note, createdAt } = version
  const row = { id, workflow_id: workflowId, version: version.version, note, created_at: createdAt, ...toColumns(version) }
  const insertion = db.insertInto('workflow_version').values(row).execute()
  await orConflict(insertion, `version ${version.version} exists already: a published version never changes, choose another name`)
}

function toColumns({ name, description, iconUrl, mode, onCrash, canvas, role }: WorkflowDraft) {
  return { name, description, icon_url: iconUrl, mode, on_crash: onCrash, canvas, role: JSON.stringify(role) }
}

type DraftColumns = Pick<Selectable<WorkflowTable>, 'name' | 'description' | 'icon_url' | 'mode' | 'on_crash' | 'canvas' | 'role'>

function toDraft(row: DraftColumns): WorkflowDraft {
  return {
    name: row.name,
    description: row.description,
    iconUrl: row.icon_url,
    mode: row.mode,
    onCrash: row.on_crash,
    canvas: row.canvas,
    role: chatflowRoleSchema.parse(JSON.parse(row.role)),
  }
}

function toWorkflow(row: Selectable<WorkflowTable>): Workflow {
  return {
    ...toDraft(row),
    id: String(row.id),
    ownerId: String(row.owner_id),
    appId: optionalId(row.app_id),
    liveVersionId: optionalId(row.live_version_id),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

function toWorkflowVersion(row: Selectable<WorkflowVersionTable>): WorkflowVersion {
  return {
    ...toDraft(row),
    id: String(row.id),
    workflowId: String(row.workflow_id),
    version: row.version,
    note: row.note,
    createdAt: row.created_at,
  }
}

const optionalId = (id: number | string | null): string | undefined => (id === null ? undefined : String(id))
