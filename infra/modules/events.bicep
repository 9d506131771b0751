// Event Grid tells the app's queue of blobs in the watched containers (docs/triggered-scoring.md).
param location string
param tags object
param token string
param identityId string
param stateAccountId string
param dataAccountId string
param watchedContainers array

// Event Grid keeps trying for a day at most; what waits in the queue may wait for a week.
var queueTimeToLiveSeconds = 604800
var deliveryMinutes = 1440

var subscriptions = [
  for container in watchedContainers: {
    name: 'watch-${container}'
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: {
      includedEventTypes: [
        'Microsoft.Storage.BlobCreated'
      ]
      subjectBeginsWith: '/blobServices/default/containers/${container}/'
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.api'
          values: [
            'PutBlob'
            'PutBlockList'
            'CopyBlob'
            'FlushWithClose'
          ]
        }
      ]
    }
    deliveryWithResourceIdentity: {
      identity: {
        type: 'UserAssigned'
        userAssignedIdentity: identityId
      }
      destination: {
        endpointType: 'StorageQueue'
        properties: {
          resourceId: stateAccountId
          queueName: 'blob-events'
          queueMessageTimeToLiveInSeconds: queueTimeToLiveSeconds
        }
      }
    }
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'UserAssigned'
        userAssignedIdentity: identityId
      }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: stateAccountId
          blobContainerName: 'event-dead-letters'
        }
      }
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: deliveryMinutes
    }
  }
]

module topic 'br/public:avm/res/event-grid/system-topic:0.7.0' = {
  params: {
    name: 'evgt-${token}'
    location: location
    tags: tags
    source: dataAccountId
    topicType: 'Microsoft.Storage.StorageAccounts'
    managedIdentities: {
      userAssignedResourceIds: [
        identityId
      ]
    }
    eventSubscriptions: subscriptions
    enableTelemetry: false
  }
}
