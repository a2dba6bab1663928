//! A client of a running server that knows the contract by its descriptors: one way to call any
//! rpc, with JSON in and out as the contract's JSON mapping has it.

use super::exit::Failure;
use anyhow::{Context as _, anyhow};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor};
use serde_json::Value;
use std::path::PathBuf;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Status};

/// How a server is reached.
#[derive(Debug, Clone, clap::Args)]
pub struct Connection {
    /// Address of the server.
    #[arg(long, default_value = "http://127.0.0.1:50051", env = "PRATICA_SERVER")]
    pub server: String,
    /// The token; `pratica token` makes one.
    #[arg(long, env = "PRATICA_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Language of texts: it or en.
    #[arg(long, default_value = "it")]
    pub language: String,
    /// A file that holds the token.
    #[arg(long, conflicts_with = "token")]
    pub token_file: Option<PathBuf>,
    /// How an `https://` server is believed.
    #[command(flatten)]
    pub encryption: Encryption,
}

/// How an `https://` server is believed, and what this client comes with.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Encryption {
    /// The roots of the server's certificate as PEM; those of the machine if absent.
    #[arg(long, value_name = "PATH", env = "PRATICA_CA")]
    pub ca: Option<PathBuf>,
    /// A client certificate as PEM, in the place of a token.
    #[arg(long, value_name = "PATH", requires = "client_key", env = "PRATICA_CLIENT_CERT")]
    pub client_cert: Option<PathBuf>,
    /// Its private key as PEM.
    #[arg(long, value_name = "PATH", requires = "client_cert", env = "PRATICA_CLIENT_KEY")]
    pub client_key: Option<PathBuf>,
}

impl Encryption {
    fn config(&self) -> anyhow::Result<ClientTlsConfig> {
        let read = |path: &PathBuf| {
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
        };
        let config = match &self.ca {
            Some(path) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(path)?)),
            None => ClientTlsConfig::new().with_native_roots(),
        };
        Ok(match (&self.client_cert, &self.client_key) {
            (Some(cert), Some(key)) => config.identity(Identity::from_pem(read(cert)?, read(key)?)),
            _ => config,
        })
    }
}

/// A connection to a server.
#[derive(Debug, Clone)]
pub struct Client {
    channel: Channel,
    token: Option<MetadataValue<Ascii>>,
    language: Option<MetadataValue<Ascii>>,
    pool: DescriptorPool,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// When the address or the token cannot be used, or nobody listens.
    pub async fn connect(connection: &Connection) -> Result<Self, Failure> {
        let token = match (&connection.token, &connection.token_file) {
            (Some(token), _) => Some(token.clone()),
            (None, Some(path)) => Some(
                std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read the token file {}", path.display()))?,
            ),
            (None, None) => None,
        };
        let Connection { server, language, encryption, .. } = connection;
        Self::open_over(server, token.as_deref(), language, encryption).await
    }

    /// Connects to an address with a token; texts come in `language`.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub async fn open(server: &str, token: Option<&str>, language: &str) -> Result<Self, Failure> {
        Self::open_over(server, token, language, &Encryption::default()).await
    }

    /// As [`Client::open`], with certificates of one's own choice.
    ///
    /// # Errors
    /// As [`Client::connect`]; also when a certificate cannot be used.
    pub async fn open_over(
        server: &str,
        token: Option<&str>,
        language: &str,
        encryption: &Encryption,
    ) -> Result<Self, Failure> {
        let mut endpoint = Endpoint::from_shared(server.to_owned())
            .map_err(|e| Failure::Usage(format!("{server} is not an address: {e}")))?;
        if server.starts_with("https://") {
            endpoint = endpoint
                .tls_config(encryption.config()?)
                .context("the certificates cannot be used")?;
        }
        let channel = endpoint
            .connect()
            .await
            .with_context(|| format!("no server answers at {server}: start `pratica serve`"))?;
        let token =
            match token {
                Some(token) => Some(format!("Bearer {}", token.trim()).parse().map_err(|_| {
                    Failure::Usage("the token has characters it cannot have".into())
                })?),
                None => None,
            };
        let pool = DescriptorPool::decode(pratica_proto::DESCRIPTORS)
            .context("the contract's descriptors cannot be read")?;
        Ok(Client { channel, token, language: language.parse().ok(), pool })
    }

    /// A method by its full name, `pratica.cases.v1.CasesService/GetCase`.
    ///
    /// # Errors
    /// When the contract has no such method.
    pub fn method(&self, name: &str) -> Result<MethodDescriptor, Failure> {
        let found = name.split_once('/').and_then(|(service, method)| {
            let service = self.pool.get_service_by_name(service)?;
            service.methods().find(|m| m.name() == method)
        });
        found.ok_or_else(|| Failure::Usage(format!("the contract has no method {name}")))
    }

    /// Calls a unary method.
    ///
    /// # Errors
    /// When the request does not have the method's shape, or the server answers with a status.
    pub async fn call(&self, name: &str, request: Value) -> Result<Value, Failure> {
        let method = self.method(name)?;
        let request = self.request(&method, request)?;
        let mut grpc = self.grpc().await?;
        let codec = DynamicCodec(method.output());
        let response = grpc.unary(request, path(&method)?, codec).await?;
        json(&response.into_inner())
    }

    /// Calls a method that streams, handing over each message; `each` says whether to go on.
    ///
    /// # Errors
    /// As [`Client::call`], and whatever `each` reports.
    pub async fn stream(
        &self,
        name: &str,
        request: Value,
        mut each: impl FnMut(Value) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let method = self.method(name)?;
        let request = self.request(&method, request)?;
        let mut grpc = self.grpc().await?;
        let codec = DynamicCodec(method.output());
        let response = grpc.server_streaming(request, path(&method)?, codec).await?;
        let mut messages = response.into_inner();
        while let Some(message) = messages.message().await? {
            if !each(json(&message)?)? {
                break;
            }
        }
        Ok(())
    }

    async fn grpc(&self) -> Result<tonic::client::Grpc<Channel>, Failure> {
        let mut grpc = tonic::client::Grpc::new(self.channel.clone());
        grpc.ready().await.context("the server does not answer")?;
        Ok(grpc)
    }

    fn request(
        &self,
        method: &MethodDescriptor,
        content: Value,
    ) -> Result<Request<DynamicMessage>, Failure> {
        let message = DynamicMessage::deserialize(method.input(), content)
            .map_err(|e| Failure::Usage(format!("not a {}: {e}", method.input().name())))?;
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.clone());
        }
        if let Some(language) = &self.language {
            request.metadata_mut().insert("accept-language", language.clone());
        }
        Ok(request)
    }
}

fn path(method: &MethodDescriptor) -> Result<tonic::codegen::http::uri::PathAndQuery, Failure> {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    Ok(path.parse().map_err(|e| anyhow!("the path {path} cannot be used: {e}"))?)
}

/// A message of the contract by its full name, as JSON: the same as if a server had answered it.
pub(crate) fn as_answered(name: &str, message: &impl prost::Message) -> Result<Value, Failure> {
    let pool = DescriptorPool::decode(pratica_proto::DESCRIPTORS)
        .context("the contract's descriptors cannot be read")?;
    let descriptor = pool
        .get_message_by_name(name)
        .ok_or_else(|| anyhow!("the contract has no message {name}"))?;
    let known = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice());
    json(&known.with_context(|| format!("not a {name}"))?)
}

/// A message as JSON, names as in the `.proto` files.
fn json(message: &DynamicMessage) -> Result<Value, Failure> {
    let options = prost_reflect::SerializeOptions::new()
        .use_proto_field_name(true)
        .stringify_64_bit_integers(false)
        .skip_default_fields(false);
    let value = message.serialize_with_options(serde_json::value::Serializer, &options);
    Ok(value.context("the answer cannot be shown as JSON")?)
}

/// Encodes and decodes messages known by their descriptor.
struct DynamicCodec(MessageDescriptor);

impl Codec for DynamicCodec {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = DynamicEncoder;
    type Decoder = DynamicDecoder;

    fn encoder(&mut self) -> Self::Encoder {
        DynamicEncoder
    }

    fn decoder(&mut self) -> Self::Decoder {
        DynamicDecoder(self.0.clone())
    }
}

struct DynamicEncoder;

impl Encoder for DynamicEncoder {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, item: Self::Item, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(buffer).map_err(|e| Status::internal(e.to_string()))
    }
}

struct DynamicDecoder(MessageDescriptor);

impl Decoder for DynamicDecoder {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Self::Item>, Status> {
        DynamicMessage::decode(self.0.clone(), buffer)
            .map(Some)
            .map_err(|e| Status::internal(e.to_string()))
    }
}

/// Every method of the contract, by its full name.
///
/// # Errors
/// When the contract's descriptors cannot be read.
pub fn methods() -> Result<Vec<String>, Failure> {
    let pool = DescriptorPool::decode(pratica_proto::DESCRIPTORS)
        .context("the contract's descriptors cannot be read")?;
    let name = |m: MethodDescriptor| format!("{}/{}", m.parent_service().full_name(), m.name());
    Ok(pool.services().flat_map(|s| s.methods().map(name).collect::<Vec<_>>()).collect())
}
