import { theme } from 'antd'
import type { ReactElement } from 'react'
import { Bar, BarChart, CartesianGrid, Legend, Line, LineChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts'
import type { Measures, Usage } from '../../../../server/src/http/console/usage-wire.ts'
import { formatDuration, formatNumber, formatShortNumber } from '../../lib/format.ts'
import { useLanguage, useTexts } from '../../lib/texts.ts'
import { useIsDark } from '../../lib/theme-mode.ts'
import styles from './usage.module.css'
import { useBucketText } from './usage-names.ts'
import type { UsageRequest } from './usage-queries.ts'
import { usageTexts } from './usage-texts.ts'

type Series = { name: string; color: string; read: (measures: Measures) => number | null }

const LIGHT = { blue: '#3b5bdb', red: '#d6336c', grey: '#868e96', green: '#0b7285', orange: '#d9480f' }
const DARK = { blue: '#748ffc', red: '#f06595', grey: '#adb5bd', green: '#3bc9db', orange: '#ff922b' }
const HEIGHT = 220

/** What the tables say, as pictures. Loaded only when there is something to draw. */
export function UsageCharts({ usage, request }: { usage: Usage; request: UsageRequest }) {
  const t = useTexts(usageTexts)
  const color = useIsDark() ? DARK : LIGHT
  const language = useLanguage()
  const props = { usage, request }
  const short = (value: number) => formatShortNumber(value, language)
  const whole = (value: number) => formatNumber(value, language)

  const calls: Series[] = [
    // those that are still open are part of it
    { name: t('good'), color: color.blue, read: ({ calls: all, errors, canceled }) => all - errors - canceled },
    { name: t('errors'), color: color.red, read: ({ errors }) => errors },
    { name: t('canceled'), color: color.grey, read: ({ canceled }) => canceled },
  ]
  const tokens: Series[] = [
    { name: t('input_tokens'), color: color.green, read: ({ input_tokens }) => input_tokens },
    { name: t('output_tokens'), color: color.blue, read: ({ output_tokens }) => output_tokens },
  ]
  const latency: Series[] = [
    { name: t('latency_p50'), color: color.blue, read: ({ latency_p50_ms }) => latency_p50_ms },
    { name: t('latency_p95'), color: color.orange, read: ({ latency_p95_ms }) => latency_p95_ms },
  ]
  const firstToken: Series[] = [
    { name: t('first_token_p50'), color: color.blue, read: ({ first_token_p50_ms }) => first_token_p50_ms },
    { name: t('first_token_p95'), color: color.orange, read: ({ first_token_p95_ms }) => first_token_p95_ms },
  ]
  return (
    <div className={styles.charts}>
      <Chart {...props} title={t('calls')} series={calls} look="bars" format={whole} formatAxis={short} />
      <Chart {...props} title={t('tokens')} series={tokens} look="bars" format={whole} formatAxis={short} />
      <Chart {...props} title={t('latency')} series={latency} look="lines" format={formatDuration} formatAxis={formatDuration} />
      {request.kind === 'chat' && (
        <Chart {...props} title={t('first_token')} series={firstToken} look="lines" format={formatDuration} formatAxis={formatDuration} />
      )}
    </div>
  )
}

type ChartProps = {
  usage: Usage
  request: UsageRequest
  title: string
  series: Series[]
  look: 'bars' | 'lines'
  format: (value: number) => string
  formatAxis: (value: number) => string
}

/** A picture for those who see; the tables below have the same numbers for everybody. */
function Chart({ usage, request, title, series, look, format, formatAxis }: ChartProps) {
  const t = useTexts(usageTexts)
  const bucketText = useBucketText(request)
  const { token } = theme.useToken()
  const data = usage.buckets.map((bucket) => ({
    name: bucketText(bucket.from),
    ...Object.fromEntries(series.map(({ name, read }) => [name, read(bucket)])),
  }))
  const text = { fill: token.colorTextSecondary, fontSize: 12 }
  const frame = [
    <CartesianGrid key="grid" vertical={false} stroke={token.colorSplit} />,
    <XAxis key="x" dataKey="name" tick={text} tickLine={false} minTickGap={24} stroke={token.colorBorder} />,
    <YAxis key="y" tick={text} tickFormatter={formatAxis} width={62} axisLine={false} tickLine={false} allowDecimals={look === 'lines'} />,
    <Tooltip
      key="tip"
      formatter={(value) => (typeof value === 'number' ? format(value) : '–')}
      contentStyle={{ background: token.colorBgElevated, borderColor: token.colorBorder, borderRadius: 8 }}
      cursor={look === 'bars' ? { fill: token.colorFillTertiary } : { stroke: token.colorBorder }}
    />,
    <Legend key="legend" wrapperStyle={{ fontSize: 12 }} />,
  ]
  const common = { data, margin: { top: 8, right: 8, bottom: 0, left: 0 }, accessibilityLayer: false }

  return (
    <figure className={styles.chart}>
      <figcaption>{title}</figcaption>
      <div role="img" aria-label={t('chart', { title })}>
        <Responsive>
          {look === 'bars' ? (
            <BarChart {...common}>
              {frame}
              {series.map(({ name, color }) => (
                <Bar key={name} dataKey={name} stackId="all" fill={color} isAnimationActive={false} maxBarSize={36} />
              ))}
            </BarChart>
          ) : (
            <LineChart {...common}>
              {frame}
              {series.map(({ name, color }) => (
                // days without a call have nothing to measure: dots show a day that stands alone
                <Line key={name} dataKey={name} stroke={color} strokeWidth={2} dot={{ r: 2 }} isAnimationActive={false} />
              ))}
            </LineChart>
          )}
        </Responsive>
      </div>
    </figure>
  )
}

function Responsive({ children }: { children: ReactElement }) {
  return (
    <ResponsiveContainer width="100%" height={HEIGHT}>
      {children}
    </ResponsiveContainer>
  )
}
