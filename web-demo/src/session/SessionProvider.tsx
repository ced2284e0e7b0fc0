// Who is signed in, for components; signing in, up and out.
import { useApolloClient } from "@apollo/client/react";
import { notifications } from "@mantine/notifications";
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";
import { guestCart } from "../cart/guestCart";
import {
  type AuthErrorCode,
  ChangePasswordDocument,
  LoginDocument,
  LogoutDocument,
  MergeCartDocument,
  RegisterDocument,
  type RegisterInput,
} from "../gql/documents";
import { type Session, sessions } from "./session";

export type Refused = { code: AuthErrorCode; message: string; field?: string[] | null | undefined };

interface SessionValue {
  user: Session["user"] | null;
  /** Resolves to why not; to nothing when signed in. Rejects for faults. */
  login(email: string, password: string): Promise<Refused[]>;
  register(input: RegisterInput): Promise<Refused[]>;
  /** Ends every other session; this one goes on with a new token. */
  changePassword(currentPassword: string, newPassword: string): Promise<Refused[]>;
  /** `everywhere` rejects when the shop can't be reached: the other devices would stay signed in. */
  logout(everywhere?: boolean): Promise<void>;
}

const Context = createContext<SessionValue | null>(null);

export function SessionProvider({ children }: { children: ReactNode }) {
  const client = useApolloClient();
  const { session, ended } = useSyncExternalStore(sessions.subscribe, sessions.snapshot);
  const user = session?.user ?? null;

  // Whoever comes or goes, in this tab or another, sees nothing of the one before.
  const last = useRef(user?.id);
  useEffect(() => {
    if (last.current && last.current !== user?.id) void client.resetStore();
    last.current = user?.id;
  }, [client, user?.id]);

  useEffect(() => {
    if (!ended) return;
    notifications.show({
      closeButtonProps: { "aria-label": "Dismiss" },
      color: "yellow",
      title: "Signed out",
      message: "Your session has ended. Please sign in again.",
    });
  }, [ended]);

  const begin = useCallback(
    async (next: Session) => {
      const guestCartId = guestCart.get();
      if (guestCartId) {
        // Before anybody is told of the session: their cart is asked for only when it holds the guest's lines.
        const merged = await client
          .mutate({
            mutation: MergeCartDocument,
            variables: { input: { guestCartId } },
            context: { headers: { authorization: `Bearer ${next.accessToken}` } },
          })
          .catch(() => null);
        // A cart that could not be asked for stays the guest's, and is tried again at the next sign-in.
        if (merged?.data) guestCart.set(null);
      }
      sessions.set(next);
    },
    [client],
  );

  const value = useMemo<SessionValue>(
    () => ({
      user,
      async login(email, password) {
        const { data } = await client.mutate({
          mutation: LoginDocument,
          variables: { input: { email, password } },
        });
        if (data?.login.session) await begin(data.login.session);
        return data?.login.userErrors ?? [];
      },
      async register(input) {
        const { data } = await client.mutate({ mutation: RegisterDocument, variables: { input } });
        if (data?.register.session) await begin(data.register.session);
        return data?.register.userErrors ?? [];
      },
      async changePassword(currentPassword, newPassword) {
        const { data } = await client.mutate({
          mutation: ChangePasswordDocument,
          variables: { input: { currentPassword, newPassword } },
        });
        if (data?.changePassword.session) sessions.set(data.changePassword.session);
        return data?.changePassword.userErrors ?? [];
      },
      async logout(everywhere = false) {
        const refreshToken = sessions.snapshot().session?.refreshToken;
        if (refreshToken) {
          const variables = { input: { refreshToken, everywhere } };
          const ended = client.mutate({ mutation: LogoutDocument, variables });
          await (everywhere ? ended : ended.catch(() => null));
        }
        sessions.set(null);
      },
    }),
    [client, user, begin],
  );

  return <Context value={value}>{children}</Context>;
}

export function useSession(): SessionValue {
  const value = useContext(Context);
  if (!value) throw new Error("useSession needs a SessionProvider");
  return value;
}
