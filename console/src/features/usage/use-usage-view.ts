import { useState } from 'react'
import { useAddress } from '../../ui/use-address.ts'
import { canBeByHour, offsetMinutesAt, parseDayRange, presets, rangeOfPreset, usualBucket } from './usage-range.ts'
import type { Bucket, Preset, UsageRange } from './usage-range.ts'
import type { UsageRequest } from './usage-queries.ts'

export type UsageView = {
  request: UsageRequest
  range: UsageRange
  /** Undefined: days of one's own choice. */
  preset: Preset | undefined
  /** The agent or workflow that is looked at alone; empty for all. */
  subjectId: string
  change: (fields: Partial<Record<'range' | 'from' | 'to' | 'bucket' | 'kind' | 'subject' | 'key', string>>) => void
  /** "Now" is when the page was opened, or this was called. */
  renew: () => void
}

/** What is looked at; all of it is in the address. */
export function useUsageView(): UsageView {
  const address = useAddress()
  const [now, setNow] = useState(() => Date.now())

  const ownRange = parseDayRange(address.get('from'), address.get('to'))
  const preset = ownRange ? undefined : (presets.find((each) => each === address.get('range')) ?? 'week')
  const range = ownRange ?? rangeOfPreset(preset ?? 'week', now)
  const wanted = BUCKETS.find((each) => each === address.get('bucket')) ?? usualBucket(range)
  const bucket = wanted === 'hour' && !canBeByHour(range) ? 'day' : wanted
  const kind = address.get('kind') === 'workflow' ? 'workflow' : 'chat'
  const subjectId = digits(address.get('subject'))

  const request: UsageRequest = {
    ...range,
    ...{ bucket, kind, offset_minutes: offsetMinutesAt(range.to - 1) },
    agent_id: kind === 'chat' ? subjectId : '',
    workflow_id: kind === 'workflow' ? subjectId : '',
    key_id: digits(address.get('key')),
  }
  return { request, range, preset, subjectId, change: (fields) => address.change(fields), renew: () => setNow(Date.now()) }
}

const BUCKETS: Bucket[] = ['hour', 'day']

const digits = (text: string) => (/^\d{1,19}$/.test(text) ? text : '')
