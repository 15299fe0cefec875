import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import type { Principal } from './principal.ts'
import { createTokenSignature } from './token-signature.ts'

export type TokenRequest = { botId: string; endUser: string; origins: string[]; lifetimeSeconds: number }
export type IssuedToken = { token: string; expiresAt: number }

/** A token for the page of one end user, which chats with one bot and does nothing else. */
export type IssueToken = (who: Principal, request: TokenRequest) => IssuedToken

export function createTokenIssuer({ secrets, clock }: { secrets: SecretBox; clock: Clock }): IssueToken {
  const signature = createTokenSignature(secrets)
  return (who, { botId, endUser, origins, lifetimeSeconds }) => {
    if (who.keyId === undefined || who.access?.token) throw new AppError('forbidden', 'tokens are made with an api key, not with a token')
    const expiresAt = clock() + lifetimeSeconds * 1000
    return { token: signature.write({ keyId: who.keyId, botId, endUser, origins, expiresAt }), expiresAt }
  }
}
