//! Receipts, checkpoints and proofs.

use super::Shared;
use super::cases::visible_case;
use crate::app::{AppError, Violation, load};
use crate::grpc::status::status;
use pratica_domain::case::Procedure;
use pratica_proto::evidence::v1::evidence_service_server::EvidenceService;
use pratica_proto::evidence::v1::*;
use pratica_store::Revision;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl EvidenceService for Shared {
    async fn get_receipt(
        &self,
        request: Request<GetReceiptRequest>,
    ) -> Result<Response<GetReceiptResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town(&call, &m.comune)?;
            let (id, case) = visible_case(&call, open, &m.case_id).await?;
            let procedure = case.procedure().unwrap_or(Procedure::Residency);
            let stream = open.town.case_stream(procedure, id)?;
            let at = Revision::new(m.revision);
            let events = load::events(&open.town, &stream, at, at).await?;
            let event = events.first().ok_or(AppError::NotFound("event"))?;
            let receipt = open.evidence.receipt(event).await?;
            Ok(GetReceiptResponse {
                receipt: receipt.to_string(),
                event_text: receipt.leaf,
                verification_key: open.evidence.verifier().to_string(),
            })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn get_checkpoint(
        &self,
        request: Request<GetCheckpointRequest>,
    ) -> Result<Response<GetCheckpointResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town(&call, &m.comune)?;
            let (size, checkpoint) = open.evidence.newest()?.unwrap_or_default();
            let verification_key = open.evidence.verifier().to_string();
            Ok(GetCheckpointResponse { checkpoint, size, verification_key })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn get_consistency_proof(
        &self,
        request: Request<GetConsistencyProofRequest>,
    ) -> Result<Response<GetConsistencyProofResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town(&call, &m.comune)?;
            let proof = open.evidence.consistency(m.from_size, m.to_size)?;
            let hashes = proof.ok_or_else(|| {
                let rule = "1 to to_size, which is at most the size of the tree";
                AppError::Invalid(vec![Violation::new("from_size", rule)])
            })?;
            let hashes = hashes.into_iter().map(Into::into).collect();
            Ok(GetConsistencyProofResponse { hashes })
        };
        answer.await.map(Response::new).map_err(status)
    }
}
