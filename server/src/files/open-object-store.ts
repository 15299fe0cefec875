import { join } from 'node:path'
import { createDiskObjectStore } from './disk-object-store.ts'
import type { ObjectStore } from './object-store.ts'
import type { S3Settings } from './s3-object-store.ts'

/** In the bucket where there is one, else in the data directory. */
export async function openObjectStore({ s3, dataDir }: { s3: S3Settings | undefined; dataDir: string }): Promise<ObjectStore> {
  if (!s3) return createDiskObjectStore(join(dataDir, 'files'))

  // loading it takes a quarter of a second: only who has a bucket pays for it
  const { createS3ObjectStore } = await import('./s3-object-store.ts')
  return createS3ObjectStore(s3)
}
