import { Avatar } from 'antd'

export type AgentIconProps = { name: string; url: string; size?: number }

/** The picture of an agent, or the first character of its name. Only pictures of this server: the page fetches nothing from elsewhere. */
export function AgentIcon({ name, url, size = 40 }: AgentIconProps) {
  const src = isOwnPath(url) ? url : undefined
  return (
    <Avatar shape="square" size={size} src={src} alt="" style={LOOK} aria-hidden>
      {Array.from(name.trim())[0] ?? '?'}
    </Avatar>
  )
}

const LOOK = { flex: 'none', color: 'var(--ant-color-link)', background: 'var(--ant-color-primary-bg)', fontWeight: 600 }

/** What an upload gives: a path, or an address below the one of this page. */
function isOwnPath(url: string): boolean {
  return url !== '' && URL.parse(url, location.origin)?.origin === location.origin
}
