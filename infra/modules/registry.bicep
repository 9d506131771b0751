// The registry of the container variant's image.
param location string
param tags object
param token string

module registry 'br/public:avm/res/container-registry/registry:0.12.1' = {
  params: {
    name: 'cr${token}'
    location: location
    tags: tags
    acrSku: 'Basic'
    acrAdminUserEnabled: false
    anonymousPullEnabled: false
    // Functions pulls with a token for Azure Resource Manager.
    azureADAuthenticationAsArmPolicyStatus: 'enabled'
    enableTelemetry: false
  }
}

output name string = registry.outputs.name
