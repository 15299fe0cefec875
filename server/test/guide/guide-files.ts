import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot } from '../support/serve-process.ts'

/**
 * The guide that the product promises to fulfil lies beside a checkout where there is one. Its samples are run as they are; elsewhere
 * our own in `samples/` take their place: other words, the same habits of the same clients.
 */
const guideDir = join(repositoryRoot, '..', 'nope', 'guide')
const ownSamples = join(import.meta.dirname, 'samples')
const guideSamples = join(guideDir, 'samples')
const guidePage = join(guideDir, 'publish-agent-as-api.zh.md')

export const samplesAre: 'the guide’s' | 'our own' = existsSync(guideSamples) ? 'the guide’s' : 'our own'

export function readSample(name: string): Promise<string> {
  return readFile(join(existsSync(guideSamples) ? guideSamples : ownSamples, name), 'utf8')
}

/** Undefined where there is no guide beside the checkout. */
export async function readGuide(): Promise<string | undefined> {
  return existsSync(guidePage) ? readFile(guidePage, 'utf8') : undefined
}
