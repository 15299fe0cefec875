import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repositoryRoot } from '../support/serve-process.ts'

/**
 * The guide that the product promises to fulfil lies beside a checkout where there is one. Its samples are run as they are; elsewhere
 * our own in `samples/` stand in for them: other words, the same habits of the same clients.
 */
export type SampleSet = { whose: 'the guide’s' | 'our own'; read(name: string): Promise<string> }

export const ownSamples: SampleSet = samplesIn(join(import.meta.dirname, 'samples'), 'our own')

/** The guide's where they are. */
export const samples: SampleSet = findGuideSamples() ?? ownSamples

/** The text of the guide; undefined where it is not. */
export async function readGuide(): Promise<string | undefined> {
  return existsSync(guidePage) ? readFile(guidePage, 'utf8') : undefined
}

function findGuideSamples(): SampleSet | undefined {
  const dir = join(guideDir(), 'samples')
  return existsSync(dir) ? samplesIn(dir, 'the guide’s') : undefined
}

function samplesIn(dir: string, whose: SampleSet['whose']): SampleSet {
  return { whose, read: (name) => readFile(join(dir, name), 'utf8') }
}

function guideDir(): string {
  return join(repositoryRoot, '..', 'shared', 'guide')
}

const guidePage = join(guideDir(), 'publish-agent-as-api.zh.md')
