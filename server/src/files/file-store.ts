import type { Selectable } from 'kysely'
import type { Db } from '../db/database.ts'
import type { FileTable } from '../db/tables.ts'

/** An uploaded file. It never changes. */
export type StoredFile = {
  id: string
  ownerId: string
  /** Clean: see cleanFileName. */
  name: string
  sizeBytes: number
  /** By its bytes, not by what the caller said. */
  mime: string
  objectKey: string
  createdAt: number
}

export async function findFile(db: Db, fileId: string): Promise<StoredFile | undefined> {
  const row = await db.selectFrom('file').selectAll().where('id', '=', fileId).executeTakeFirst()
  return row && toFile(row)
}

export async function insertFile(db: Db, file: StoredFile): Promise<void> {
  await db
    .insertInto('file')
    .values({
      id: file.id,
      owner_id: file.ownerId,
      name: file.name,
      size_bytes: file.sizeBytes,
      mime: file.mime,
      object_key: file.objectKey,
      created_at: file.createdAt,
    })
    .execute()
}

function toFile(row: Selectable<FileTable>): StoredFile {
  return {
    id: String(row.id),
    ownerId: String(row.owner_id),
    name: row.name,
    sizeBytes: row.size_bytes,
    mime: row.mime,
    objectKey: row.object_key,
    createdAt: row.created_at,
  }
}
